"""A client of the management API that holds every answer to the document, and knows nothing else of the broker."""

import base64
import http.client
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import jsonschema

WAIT_S = 60
BASE = "/api/v1"
PROBLEM = "application/problem+json"


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def bearer(token):
    return "Bearer " + token


def path(*parts):
    """A path of the API; each part is one segment, whatever is in it."""
    return "/".join(["", *(quote(str(part), safe="") for part in parts)])


@dataclass
class Answer:
    status: int
    headers: dict
    octets: bytes
    body: object = None
    said: str = field(default="")

    def __getitem__(self, key):
        return self.body[key]


class Document:
    """What the broker says of itself."""

    def __init__(self, content):
        self.content = content
        self.operations = {}
        for template, methods in content["paths"].items():
            shape = re.compile(re.sub(r"\\{[^/]*\\}", "[^/]+", re.escape(template)))
            for method, described in methods.items():
                self.operations[described["operationId"]] = (method.upper(), shape, described)

    def operation(self, method, target):
        """The name and the description of what is asked for."""
        for name, (wanted, shape, described) in self.operations.items():
            if wanted == method and shape.fullmatch(target):
                return name, described
        return None, None

    def schema(self, described, status):
        """Media type and schema of an answer; None without a body."""
        answer = described["responses"].get(str(status))
        assert answer is not None, f"status {status} is not in the document"
        if "$ref" in answer:
            answer = self.content["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        content = answer.get("content")
        if not content:
            return None, None
        (media, inner), = content.items()
        return media, {**inner["schema"], "components": self.content["components"]}


class Api:
    """One login at one broker."""

    def __init__(self, address, authorization=None, document=None, done=None):
        self.address, self.authorization, self.document = address, authorization, document
        # Which operations have succeeded at least once.
        self.done = set() if done is None else done

    def of(self, user, password):
        return self.by(basic(user, password))

    def by(self, authorization):
        """The same broker with another login."""
        return Api(self.address, authorization, self.document, self.done)

    def raw(self, method, target, body=None, headers=()):
        """A request as it is told, without a look at the document."""
        connection = http.client.HTTPConnection(self.address, timeout=WAIT_S)
        sent = dict(headers)
        if self.authorization:
            sent.setdefault("Authorization", self.authorization)
        sent = {name: value for name, value in sent.items() if value is not None}
        try:
            connection.request(method, target, body=body, headers=sent)
            response = connection.getresponse()
            octets = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()
        said = f"{method} {target} {(body or b'')[:200]!r} -> {response.status} {octets[:400]!r}"
        return Answer(response.status, found, octets, said=said)

    def call(self, method, target, body=None, *, status=None, headers=(), **query):
        """A request whose answer must be as the document says, and of this status if one is given."""
        octets, sent = None, dict(headers)
        if body is not None:
            octets = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        asked = urlencode({name: shown(value) for name, value in query.items()}, quote_via=quote)
        full = BASE + target + ("?" + asked if asked else "")
        answer = self.raw(method, full, octets, sent)
        self.hold(method, target, answer)
        wanted = (status,) if isinstance(status, int) else status
        assert not wanted or answer.status in wanted, f"expected {status}: {answer.said}"
        return answer

    def hold(self, method, target, answer):
        """RFC 9457 and the document: status, media type, body."""
        if answer.octets:
            answer.body = json.loads(answer.octets)
        name, described = self.document.operation(method, target)
        if described is None:
            assert answer.status in (400, 404, 405), answer.said
            schema = {"$ref": "#/components/schemas/Problem",
                      "components": self.document.content["components"]}
            media = PROBLEM
        else:
            media, schema = self.document.schema(described, answer.status)
        if media is None:
            assert not answer.octets and "content-type" not in answer.headers, answer.said
        else:
            assert answer.headers.get("content-type") == media, (answer.said, answer.headers)
            error = jsonschema.exceptions.best_match(
                jsonschema.Draft202012Validator(schema).iter_errors(answer.body))
            assert error is None, f"{answer.said}: {error.message} at {error.json_path}"
        if answer.status >= 400:
            problem = answer.body
            assert problem["status"] == answer.status, answer.said
            assert problem["type"] == "urn:wharf:problem:" + problem["code"], answer.said
            assert problem["detail"], answer.said
        elif name:
            self.done.add(name)

    def get(self, target, **more):
        more.setdefault("status", 200)
        return self.call("GET", target, **more)

    def put(self, target, body, **more):
        more.setdefault("status", 200)
        return self.call("PUT", target, body, **more)

    def post(self, target, body=None, **more):
        more.setdefault("status", (200, 201, 204))
        return self.call("POST", target, body, **more)

    def delete(self, target, **more):
        more.setdefault("status", 204)
        return self.call("DELETE", target, **more)

    def refused(self, code, method, target, body=None, **more):
        """A request that must fail with this code."""
        answer = self.call(method, target, body, **more)
        found = answer.body.get("code") if isinstance(answer.body, dict) else None
        assert answer.status >= 400 and found == code, f"expected {code}: {answer.said}"
        return answer

    def pages(self, target, limit=1, most=200, **query):
        """All items of a list, read in pages of this size."""
        items, cursor = [], {}
        for _ in range(most):
            page = self.get(target, limit=limit, **cursor, **query).body
            assert len(page["items"]) <= limit, f"{len(page['items'])} items, asked for {limit}"
            items += page["items"]
            if "next" not in page:
                return items
            cursor = {"cursor": page["next"]}
        raise AssertionError(f"{target}: the pages do not end")


def shown(value):
    return str(value).lower() if isinstance(value, bool) else value
