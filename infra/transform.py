"""Prints the template as CloudFormation sees it after SAM's transform, as JSON.

    $(infra/tools)/python infra/transform.py [ParameterName=value ...]

The order of the template is kept. Parameters that are not named have their defaults.
"""

import json
import logging
import os
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

# The transform asks for a region, and nothing of the region.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
# It warns that the feature flags of its hosted edition are not there.
logging.disable(logging.WARNING)


class NoManagedPolicies:
    """The template names no policies of AWS's, so nobody needs to be asked for them."""

    def load(self):
        return {}


template = yaml_parse((Path(__file__).parent / "template.yaml").read_text())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        # Where sam deploy would have put it; the transform takes no folders.
        resource["Properties"]["CodeUri"] = "s3://artifacts/function.zip"

overrides = dict(argument.split("=", 1) for argument in sys.argv[1:])
unknown = overrides.keys() - template["Parameters"].keys()
if unknown:
    sys.exit(f"the template has no parameter {', '.join(sorted(unknown))}")
print(json.dumps(transform(template, overrides, NoManagedPolicies()), indent=2))
