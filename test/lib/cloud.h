/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud.h - a sink under test, with settings in YAML and no environment.
 */
#ifndef TEST_LIB_CLOUD_H
#define TEST_LIB_CLOUD_H

#include "sinks/sinks.h"
#include "test/lib/unit.h"

struct cloud {
    const struct sink_type *type;
    struct conf *conf;
    void *values; /* the sink's settings, prepared */
    struct arena arena;
};

/* Fails the test where the settings are not good. */
void cloud_open(struct cloud *c, const char *sink, const char *settings);
void cloud_close(struct cloud *c);
/* test/data/sinks/<sink>/<name>.points gives <name>.request. */
void cloud_renders(const char *sink, const char *name);

/* <name>.answer, to a request for `count` points, gives <name>.verdict. */
#define CLOUD_POINTS 16
typedef void cloud_points_fn(struct arena *a, const struct point **points,
                             size_t count);
void cloud_judges(const char *sink, const char *name, const char *settings,
                  cloud_points_fn *sent, size_t count);
/* Points that do not differ. */
void cloud_same_points(struct arena *a, const struct point **points,
                       size_t count);

/* `others`, and a case for each file of the sink's folder. */
int cloud_run(const char *sink, const struct CMUnitTest *others, size_t n,
              CMUnitTestFunction points_fn, CMUnitTestFunction answer_fn);

#endif
