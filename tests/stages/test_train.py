"""x"""
import json, time, pytest
from pipelines import train
from structnets.identity import run_id
from structnets.files import read_json
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")
def test_one(warm, make_spec):
    t=time.time()
    spec = make_spec()
    assert train.main(["--spec", json.dumps(spec), *warm.options()]) == 0
    print("T1", time.time()-t); t=time.time()
    out = warm.results / "runs" / run_id(spec)
    print(read_json(out/"result.json"))
    import subprocess; subprocess.run(["ls","-la",str(out)])
    assert train.main(["--spec", json.dumps(make_spec(seed=1)), *warm.options(), "--workers", "2"]) == 0
    print("T2", time.time()-t)
