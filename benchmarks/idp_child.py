"""Runs in the environment that IDP-Z3 is installed in (`pip install idp-engine`, apart: it wants a Z3 of its own).

Knowledge bases come on standard input, one JSON text a line; out go [satisfied, CPU seconds, peak memory in MB].
"""

import json
import resource
import sys
import time

from idp_engine import IDP, model_expand

for line in sys.stdin:
    started = time.process_time()
    theory, structure = IDP.from_str(json.loads(line)).get_blocks("T,S")
    answer = "".join(str(model) for model in model_expand(theory, structure, max=1))
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps(["satisfied := true" in answer, seconds, peak]), flush=True)
