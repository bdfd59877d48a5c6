/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - what the files of this folder share, and nobody else sees.
 */
#ifndef AGENT_CLOUDRUN_INSIDE_H
#define AGENT_CLOUDRUN_INSIDE_H

#include "agent/cloudrun/cloudrun.h"

#define CLOUDRUN_METADATA_HOST "metadata.google.internal"

/* A place with nothing left out. */
struct cloudrun_place {
    struct str base, project, location, name;
    bool pool;
};

/* wire.c: requests; what they hold lives in `a`. */
struct str cloudrun_url(const struct cloudrun_place *p, struct arena *a);
struct str cloudrun_patch_url(const struct cloudrun_place *p, bool dry,
                              struct arena *a);
struct str cloudrun_patch_body(const struct cloudrun_place *p, int64_t count,
                               struct str etag, struct arena *a);

/* wire.c: answers; texts live in `a`. */
must_check bool cloudrun_read_state(struct str body,
                                    const struct cloudrun_place *p,
                                    struct arena *a, struct cloudrun_state *out,
                                    struct err *err);
/* A google.longrunning.Operation: its name, and whether it has ended; ended
 * with an error is an error. */
must_check bool cloudrun_read_operation(struct str body, struct arena *a,
                                        struct str *name, bool *done,
                                        bool *changed, struct err *err);
/* What a status of 300 or more means; always false. */
bool cloudrun_refused(const struct http_response *res,
                      const struct cloudrun_place *p, bool write,
                      struct arena *a, bool *changed, struct err *err);

/* conf.c: what is known without asking anybody; empty where it must be asked
 * for. */
struct cloudrun_place cloudrun_written(const struct cloudrun_conf *conf,
                                       const struct auth_env *env);

#endif
