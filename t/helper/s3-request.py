# s3-request.py METHOD PATH[?QUERY] [FILE]: one signed request of S3, whose body is FILE.
#
# Server and credentials come from the variables that dig knows.  Prints what the server sends; the exit status
# is 1 for a status of 300 and above, which is told on standard error.
import datetime, hashlib, http.client, os, sys, urllib.parse

sys.dont_write_bytecode = True
from aws_signature import mac

method, target = sys.argv[1:3]
body = open(sys.argv[3], "rb").read() if len(sys.argv) > 3 else b""
server = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
key_id, secret, region = [os.environ["AWS_" + name] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "REGION")]

now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
headers = {"host": server.netloc, "x-amz-content-sha256": hashlib.sha256(body).hexdigest(), "x-amz-date": now}
path, _, query = target.partition("?")
names = ";".join(sorted(headers))
canonical = "\n".join([method, path, query] + ["%s:%s" % (name, headers[name]) for name in sorted(headers)] +
                      ["", names, headers["x-amz-content-sha256"]])
scope = "/".join([now[:8], region, "s3", "aws4_request"])
text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
key = mac(mac(mac(mac(("AWS4" + secret).encode(), now[:8]), region), "s3"), "aws4_request")
headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
    key_id, scope, names, mac(key, text).hex())
connection = http.client.HTTPConnection(server.netloc, timeout=30)
connection.request(method, target, body, headers)
answer = connection.getresponse()
sys.stdout.buffer.write(answer.read())
if answer.status >= 300:
    print("%s %s: status %d" % (method, target, answer.status), file=sys.stderr)
    sys.exit(1)
