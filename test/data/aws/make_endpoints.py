#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints endpoints.txt: each service's URL for each region and variant, as the
rules of the installed botocore resolve it (1.44 knows all these partitions)."""
import itertools

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import Loader

# Regions that botocore's table of a partition may not list, and every one it does.
MORE = ["us-gov-west-1", "us-gov-east-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1",
        "eu-isoe-west-1", "us-isof-south-1", "mx-central-1", "xx-future-7"]


SERVICES = ("cloudwatch", "ecs")


def show(service, session, loader):
    provider = EndpointProvider(
        loader.load_service_model(service, "endpoint-rule-set-1"),
        loader.load_data("partitions"))
    regions = {r for p in session.get_available_partitions()
               for r in session.get_available_regions(service, partition_name=p)}
    for region in sorted(regions | set(MORE)):
        if "global" in region or region.startswith("fips"):
            continue
        for fips, dual in itertools.product((False, True), repeat=2):
            found = provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual)
            print(service, region, "fips" if fips else "-", "dual" if dual else "-", found.url)


def main():
    session, loader = botocore.session.Session(), Loader()
    print("# SPDX-License-Identifier: Apache-2.0")
    print("# service region fips|- dual|- url; made by make_endpoints.py")
    for service in SERVICES:
        show(service, session, loader)


if __name__ == "__main__":
    main()
