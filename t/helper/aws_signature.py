# What is wrong with the signature (AWS version 4) of a request to a server of the tests, or None.
import hashlib, hmac

S3_KEYS = {"AKIDTEST": "secret/of+the+test"}


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature_problem(method, target, headers, body_sha256, token=None):
    given = headers.get("Authorization", "")
    if not given.startswith("AWS4-HMAC-SHA256 "):
        return "not signed"
    fields = dict(field.strip().split("=", 1) for field in given[len("AWS4-HMAC-SHA256 "):].split(","))
    key_id, day, region, service, _ = fields["Credential"].split("/")
    if key_id not in S3_KEYS or service != "s3" or region != "eu-test-1":
        return "credential"
    names = fields["SignedHeaders"].split(";")
    for name in ("host", "x-amz-date", "x-amz-content-sha256"):
        if name not in names:
            return "unsigned " + name
    if headers["x-amz-content-sha256"] != body_sha256:
        return "content"
    if token is not None and headers.get("x-amz-security-token") != token:
        return "token"
    path, _, query = target.partition("?")
    if query.split("&") != sorted(query.split("&")):
        return "unsorted query"
    canonical = "\n".join([method, path, query] + ["%s:%s" % (name, headers[name].strip()) for name in names] +
                          ["", fields["SignedHeaders"], body_sha256])
    scope = "/".join([day, region, service, "aws4_request"])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = mac(mac(mac(mac(("AWS4" + S3_KEYS[key_id]).encode(), day), region), service), "aws4_request")
    right = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return None if hmac.compare_digest(right, fields["Signature"]) else "signature"
