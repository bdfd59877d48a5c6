// SPDX-License-Identifier: Apache-2.0
// PutMetricData as Amazon's own library for JavaScript asks for it: its input
// is a request's JSON on standard input, ENDPOINT an argument.
const { CloudWatchClient, PutMetricDataCommand } = require("@aws-sdk/client-cloudwatch");

const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const datum of input.MetricData)
    if ("Timestamp" in datum)
        datum.Timestamp = new Date(datum.Timestamp * 1000);
new CloudWatchClient({ endpoint: process.argv[2] }).send(new PutMetricDataCommand(input)).catch(
    (error) => {
        console.error(String(error));
        process.exitCode = 1;
    });
