/* SPDX-License-Identifier: Apache-2.0 */
/* func_impl.h - the implementations that func.c's rows name, by family. */
#ifndef AGENT_PROMQL_FUNC_IMPL_H
#define AGENT_PROMQL_FUNC_IMPL_H

#include "agent/promql/eval.h"

/* eval_math.c */
func_map_fn map_sgn, map_rad, map_deg;
func_call_fn call_clamp, call_clamp_max, call_clamp_min, call_round, call_pi,
    call_scalar, call_vector, call_max_of, call_min_of;

/* eval_time.c */
func_call_fn call_time, call_timestamp, call_start, call_end, call_step,
    call_range;
func_call_fn call_minute, call_hour, call_day_of_week, call_day_of_month,
    call_day_of_year, call_days_in_month, call_month, call_year;

/* eval_over_time.c */
func_range_fn range_avg, range_min, range_max, range_sum, range_count,
    range_last, range_first, range_present, range_stddev, range_stdvar,
    range_quantile, range_mad, range_ts_first, range_ts_last, range_ts_max,
    range_ts_min;

/* eval_rate.c */
func_range_fn range_rate, range_increase, range_delta, range_irate,
    range_idelta, range_changes, range_resets, range_deriv, range_predict,
    range_smooth;

/* eval_labels.c */
func_call_fn call_absent, call_absent_over_time, call_label_replace,
    call_label_join, call_sort, call_sort_desc, call_sort_by_label,
    call_sort_by_label_desc;

/* eval_histogram.c */
func_call_fn call_histogram_quantile, call_histogram_quantiles,
    call_histogram_fraction;

#endif
