/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membrane.h - a Membrane installation that exists only as numbers: a day of
 * load as a pure function of the time of day, and the pages its services
 * would show.  For `scalebridge demo`.
 *
 * The shape of the day: a nightly batch around 02:00, a morning peak around
 * 10:30, an afternoon one around 14:30, little in between.  Each worker runs
 * one job at a time; what finds no worker waits.
 */
#ifndef AGENT_COMMANDS_MEMBRANE_H
#define AGENT_COMMANDS_MEMBRANE_H

#include "agent/base/buf.h"

enum membrane_service {
    MEMBRANE_API,
    MEMBRANE_CODE_RUNNER,
    MEMBRANE_QUEUED_WORKER,
    MEMBRANE_SERVICES,
};

/* Everything at one moment. */
struct membrane {
    int minute; /* of the day, 0 to 1439 */
    int instant_workers;
    int jobs_active, jobs_waiting;
    int queued_workers, queued_required;
    int runners, runner_spaces; /* pods, and job spaces of each */
    int spaces_used;            /* over all runners */
};

#define MEMBRANE_API_REPLICAS   2
#define MEMBRANE_RUNNERS        3
#define MEMBRANE_QUEUED_WORKERS 4

struct membrane membrane_at(int minute_of_day);
/* How many replicas of a service the demo runs, and its metrics path. */
int membrane_replicas(enum membrane_service service);
const char *membrane_path(enum membrane_service service);
const char *membrane_job(enum membrane_service service);
/* The page that replica `replica` (from 0) shows, Prometheus text 0.0.4. */
void membrane_page(const struct membrane *m, enum membrane_service service,
                   int replica, struct buf *out);

#endif
