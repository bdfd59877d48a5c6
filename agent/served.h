/* SPDX-License-Identifier: Apache-2.0 */
/* served.h - what the daemon answers over HTTP; see agent/report/web.h. */
#ifndef AGENT_SERVED_H
#define AGENT_SERVED_H

#include "agent/agent.h"

struct served;

/* `*out` is NULL where no address is configured. */
must_check bool served_new(struct agent *a, struct served **out,
                           struct err *err);
void served_free(struct served *s);
/* After the settings were reloaded: another address, token or certificate,
 * whose files are read again.  Where those cannot be used that is told, and the
 * old ones stay in force together.  Never from inside an answer. */
void served_reload(struct agent *a, struct served **s);

#endif
