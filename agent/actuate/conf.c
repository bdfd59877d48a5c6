/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/actuate/actuator.h"

/* As Kubernetes has them: up at once, down after five minutes. */
static const struct conf_key up_keys[] = {
    CONF_MS(actuate_side_conf, window, "0", 0, WHEN_HOUR,
            "How long more workers must be required without a break before "
            "they are added; the least of that time counts."),
    CONF_INT(actuate_side_conf, workers, "4", 0, ACTUATE_MOST,
             "So many may be added in a period, or percent, whichever is "
             "more; both 0: none are ever added."),
    CONF_INT(actuate_side_conf, percent, "100", 0, 100000,
             "So many percent may be added in a period."),
    CONF_MS(actuate_side_conf, period, "15s", WHEN_SECOND, WHEN_HOUR,
            "The time that workers and percent are for."),
    CONF_END,
};

static const struct conf_key down_keys[] = {
    CONF_MS(actuate_side_conf, window, "5m", 0, WHEN_HOUR,
            "How long fewer workers must be required without a break before "
            "they are taken away; the most of that time counts."),
    CONF_INT(actuate_side_conf, workers, "0", 0, ACTUATE_MOST,
             "So many may be taken away in a period, or percent, whichever is "
             "more; both 0: none are ever taken away."),
    CONF_INT(actuate_side_conf, percent, "100", 0, 100,
             "So many percent may be taken away in a period."),
    CONF_MS(actuate_side_conf, period, "15s", WHEN_SECOND, WHEN_HOUR,
            "The time that workers and percent are for."),
    CONF_END,
};

const struct conf_key actuate_keys[] = {
    CONF_TEXT(actuate_conf, name, NULL, "A name for logs and reports.",
              .flags = CONF_MUST),
    CONF_TEXT(actuate_conf, metric, NULL,
              "The metric that says how many workers are required: a total, "
              "as InstantTasksWorkersRequired, never a ratio.",
              .flags = CONF_MUST),
    CONF_TEXT(actuate_conf, busy, "",
              "A metric of the jobs that are being worked on: the count is "
              "never lowered below it, nor at all while it is not known."),
    CONF_OPTIONAL(actuate_conf, cloud_run, cloudrun_conf, cloudrun_keys,
                  "The Cloud Run service or worker pool whose manual instance "
                  "count is set."),
    CONF_INT(actuate_conf, min, "1", 0, ACTUATE_MOST, "Fewest workers."),
    CONF_INT(actuate_conf, max, "-1", -1, ACTUATE_MOST,
             "Most workers; must be written."),
    CONF_SECTION(actuate_conf, up, actuate_side_conf, up_keys,
                 "How workers are added."),
    CONF_SECTION(actuate_conf, down, actuate_side_conf, down_keys,
                 "How workers are taken away."),
    CONF_MS(actuate_conf, interval, "15s", CLOUDRUN_LEAST_MS, WHEN_HOUR,
            "Time from one decision to the next."),
    CONF_MS(actuate_conf, yield, "5m", 0, WHEN_DAY,
            "How long nothing is changed after somebody else has changed the "
            "count."),
    CONF_MS(actuate_conf, timeout, "2m", WHEN_SECOND, WHEN_HOUR,
            "How long one change may take."),
    CONF_BOOL(actuate_conf, dry_run, "false",
              "Decide, have Google check the request (validateOnly), and "
              "change nothing."),
    CONF_END,
};

bool actuate_check(const struct actuate_conf *conf, struct err *err)
{
    if (!conf->cloud_run)
        return err_set(err, ERR_CONFIG,
                       "cloud_run: is not written; say which service or "
                       "worker_pool is to be set");
    if (conf->max < 0)
        return err_set(err, ERR_CONFIG,
                       "max: is not written; say how many workers there may "
                       "be at most, since each of them is paid for");
    if (conf->max < conf->min || conf->max == 0)
        return err_set(err, ERR_CONFIG,
                       "max: is less than min, or 0, so that nothing could "
                       "ever run; write a larger one");
    return true;
}
