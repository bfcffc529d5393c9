#!/usr/bin/env python3
import json
import sys

if "--list" in sys.argv:
    print(json.dumps({
        "g": {"hosts": ["s1", "s2"], "vars": {"v": "group"}, "children": ["sub"]}, "sub": {"hosts": ["s3"]}, "short": ["s1"],
        "_meta": {"hostvars": {"s1": {"hv": 1}}}, "all": {"vars": {"ansible_connection": "local", "v": "all"}},
    }))
else:
    print("{}")
