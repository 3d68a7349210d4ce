"""moto with a Smithy RPC v2 CBOR front, so that current Rust SDKs reach its CloudWatch.
usage: python moto_front.py PORT      (binds 127.0.0.1)"""
import datetime, gzip, io, json, os, sys

PORT = int(sys.argv[1])
os.environ["MOTO_PORT"] = str(PORT)

import botocore.loaders, botocore.model
from botocore.parsers import PROTOCOL_PARSERS
from botocore.serialize import RpcV2CBORSerializer
from dateutil.parser import parse as parse_date
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

inner = DomainDispatcherApplication(create_backend_app)
inner.debug = True
model = botocore.model.ServiceModel(
    botocore.loaders.Loader().load_service_model("cloudwatch", "service-2"), "cloudwatch")
parser, ser = PROTOCOL_PARSERS["smithy-rpc-v2-cbor"](), RpcV2CBORSerializer()


def plain(v):  # CBOR request -> JSON request
    if isinstance(v, datetime.datetime): return v.timestamp()
    if isinstance(v, dict): return {k: plain(x) for k, x in v.items()}
    if isinstance(v, list): return [plain(x) for x in v]
    return v


def typed(v, shape):  # JSON answer -> values of the modelled types; nulls dropped
    t = shape.type_name
    if v is None: return None
    if t == "structure": return {k: x for k, m in shape.members.items() if (x := typed(v.get(k), m)) is not None}
    if t == "list": return [x for i in v if (x := typed(i, shape.member)) is not None]
    if t == "map": return {k: typed(x, shape.value) for k, x in v.items()}
    if t == "timestamp":
        return datetime.datetime.fromtimestamp(v, datetime.timezone.utc) if isinstance(v, (int, float)) else parse_date(v)
    return float(v) if t in ("double", "float") else v


def text(s):
    b = s.encode()[:65535]
    return b"\x79" + len(b).to_bytes(2, "big") + b


def app(env, start):
    path = env.get("PATH_INFO", "").split("/")  # /service/<target prefix>/operation/<name>
    if len(path) != 5 or path[1] != "service" or path[3] != "operation":
        return inner(env, start)
    op = model.operation_model(path[4])
    body = env["wsgi.input"].read(int(env.get("CONTENT_LENGTH") or 0))
    if env.pop("HTTP_CONTENT_ENCODING", "") == "gzip":
        body = gzip.decompress(body)
    args = plain(parser.parse_data_item(io.BufferedReader(io.BytesIO(body)))) if body else {}
    req = json.dumps(args).encode()
    env.update({"PATH_INFO": "/", "RAW_URI": "/", "REQUEST_URI": "/", "CONTENT_TYPE": "application/x-amz-json-1.0",
                "CONTENT_LENGTH": str(len(req)), "wsgi.input": io.BytesIO(req), "HTTP_X_AMZ_TARGET": f"{path[2]}.{path[4]}"})
    for k in ("HTTP_SMITHY_PROTOCOL", "HTTP_ACCEPT"):
        env.pop(k, None)
    got = {}
    try:
        out = b"".join(inner(env, lambda status, headers, exc=None: got.update(s=status, h=headers)))
        doc = json.loads(out or b"{}")
    except Exception as e:  # moto raises, or answers with an HTML page, where it has not implemented something
        got = {"s": "501 Not Implemented", "h": []}
        doc = {"__type": "NotImplemented", "message": f"{path[4]}: {e}"}
    buf = bytearray()
    if int(got["s"].split()[0]) >= 300:
        buf += b"\xa2" + text("__type") + text(str(doc.get("__type", "Unknown")))
        buf += text("message") + text(str(doc.get("message") or doc.get("Message") or ""))
    elif op.output_shape is None:
        buf += b"\xa0"
    else:
        ser._serialize_data_item(buf, typed(doc, op.output_shape), op.output_shape)
    keep = [(k, v) for k, v in got["h"] if k.lower() not in ("content-type", "content-length")]
    start(got["s"], keep + [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"),
                            ("Content-Length", str(len(buf)))])
    return [bytes(buf)]


run_simple("127.0.0.1", PORT, app, threaded=True)
