"""What every operation has from HTTP: logins, origins, queries, bodies, methods, paths."""

import http.client
import json
import socket

from api import Api, BASE, path
from world import ADMIN, case

JSON = {"Content-Type": "application/json"}
# An operation of each kind of body, by its path, with a body that is right.
TAKING = [("PUT", "/users/{}", {}), ("POST", "/tokens", {}), ("PUT", "/addresses/{}", {}),
          ("POST", "/addresses/{}/messages", {"text": "x"}), ("POST", "/addresses/{}/redrive", {}),
          ("PUT", "/policies/{}", {"pattern": "never/matches"}),
          ("PUT", "/routes/{}", {"kind": "alias", "address": "never", "to": ["matches"]}),
          ("PUT", "/definitions", {"version": 1}), ("POST", "/definitions/rabbitmq", {}),
          ("POST", "/drain", {"close_code": 1002}), ("POST", "/addresses/{}/move", {"to": "x"})]


def each_operation(world):
    """Method and path of every operation, with names that nothing has."""
    for template, methods in world.document.content["paths"].items():
        target = "/".join("none" if part.startswith("{") else part for part in template.split("/"))
        for method, described in methods.items():
            yield method.upper(), target, described


@case
async def the_document_is_for_everybody(world):
    answer = Api(world.address).raw("GET", "/api/openapi.json")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert Api(world.address).raw("HEAD", "/api/openapi.json").status == 200
    assert Api(world.address).raw("POST", "/api/openapi.json").status == 405


@case
async def nobody_without_a_login(world):
    nobody = world.api.by(None)
    wrong = world.api.of(ADMIN[0], "not the password")
    unknown = world.api.of("nobody", "x")
    for method, target, _ in each_operation(world):
        for api in (nobody, wrong, unknown, world.api.by("Bearer wharf_x_y"), world.api.by("Basic !"),
                    world.api.by("Digest x"), world.api.by("Bearer"), world.api.by("")):
            answer = api.refused("not-authenticated", method, target)
            assert answer.headers["www-authenticate"].startswith("Basic realm="), answer.headers


@case
async def a_login_that_is_there_twice(world):
    lines = ["GET /api/v1/whoami HTTP/1.1", f"Host: {world.address}", "Connection: close",
             f"Authorization: {world.api.authorization}", "Authorization: Basic eDp4", "", ""]
    assert said(world, lines).startswith(b"HTTP/1.1 400"), said(world, lines)


def said(world, lines, body=b""):
    """What the broker answers to octets."""
    host, _, port = world.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as stream:
        stream.sendall("\r\n".join(lines).encode() + body)
        stream.settimeout(20)
        found = b""
        while chunk := stream.recv(65_536):
            found += chunk
    return found


@case
async def wrong_logins_are_rationed(world):
    async with world.another(["auth.failures_per_minute_max=3"]) as own:
        wrong = own.api.of(ADMIN[0], "wrong")
        codes = [wrong.call("GET", "/whoami").status for _ in range(5)]
        assert codes == [401, 401, 401, 429, 429], codes
        assert int(wrong.call("GET", "/whoami").headers["retry-after"]) > 0
        limited = own.api.of("somebody", "else").call("GET", "/whoami")
        assert limited.status == 429, limited.said
        # Who is known to be right is not held up. So was the admin before.
        tokens = own.api.by("Bearer wharf_a_b").call("GET", "/whoami")
        assert tokens.status == 429, tokens.said


@case
async def who_is_known_to_be_right_is_not_held_up(world):
    async with world.another(["auth.failures_per_minute_max=1"]) as own:
        own.api.get("/whoami")
        wrong = own.api.of(ADMIN[0], "wrong")
        assert [wrong.call("GET", "/whoami").status for _ in range(2)] == [401, 429]
        own.api.get("/whoami")


@case
async def anonymous_users_are_users(world):
    async with world.another(["auth.anonymous_user=guest"]) as own:
        nobody = own.api.by(None)
        own.api.put(path("users", "guest"), {"permissions": [{"pattern": "open/**", "send": True}]})
        assert nobody.get("/whoami")["user"] == "guest"
        nobody.post(path("addresses", "open/a", "messages"), {"text": "x"})
        nobody.refused("not-permitted", "GET", "/users")


@case
async def pages_of_other_origins_may_not_ask(world):
    for origin in ["https://evil.example", "null", "http://localhost.evil.example",
                   f"http://{world.address}.evil.example", "http://127.0.0.1:1",
                   "", "*"]:
        for method, target, _ in each_operation(world):
            answer = world.api.refused("origin-not-allowed", method, target,
                                       headers={"Origin": origin})
            assert not [name for name in answer.headers if name.startswith("access-control")]


@case
async def pages_of_its_own_origin_may(world):
    answer = world.api.get("/whoami", headers={"Origin": f"http://{world.address}"})
    # Nobody else's scripts may read it.
    assert not [name for name in answer.headers if name.startswith("access-control")], answer.headers
    async with world.another(['websocket.origins=["https://console.example"]']) as own:
        own.api.get("/whoami", headers={"Origin": "https://console.example"})
        own.api.refused("origin-not-allowed", "GET", "/whoami",
                        headers={"Origin": "https://other.example"})


@case
async def a_form_of_another_page_changes_nothing(world):
    """What a browser sends without asking first (CSRF): simple methods and media types."""
    name = world.queue()
    target = BASE + path("addresses", name, "messages")
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]:
        for origin in ["https://evil.example", "null"]:
            fields = {"Content-Type": media, "Origin": origin, "Sec-Fetch-Site": "cross-site"}
            answer = world.api.raw("POST", target, b'{"text": "x"}', fields)
            assert answer.status == 403, answer.said
        answer = world.api.raw("POST", target, b'{"text": "x"}', {"Content-Type": media})
        assert answer.status == 415, answer.said
    # Operations without a body are posted by a form too.
    purge = BASE + path("addresses", name, "purge")
    world.send(name, "kept")
    for origin in ["https://evil.example", "null"]:
        answer = world.api.raw("POST", purge, b"", {"Origin": origin, "Content-Type": "text/plain"})
        assert answer.status == 403, answer.said
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"}
    answer = world.api.raw("OPTIONS", target, None, preflight)
    assert answer.status >= 400, answer.said
    assert not [each for each in answer.headers if each.startswith("access-control")], answer.headers
    assert world.texts(name) == ["kept"]


@case
async def an_unknown_parameter_is_refused(world):
    for method, target, described in each_operation(world):
        body = {} if "requestBody" in described else None
        answer = world.api.refused("invalid-request", method, target, body, nothing="x")
        assert "nothing" in answer["detail"], answer.said


@case
async def a_parameter_that_is_there_twice(world):
    for method, target, described in each_operation(world):
        for parameter in (each for each in described["parameters"] if each["in"] == "query"):
            schema, name = parameter["schema"], parameter["name"]
            value = schema.get("enum", [{"integer": 1, "boolean": "true"}.get(schema["type"], "0")])[0]
            body = json.dumps({}) if "requestBody" in described else None
            asked = f"{BASE}{target}?{name}={value}&{name}={value}"
            answer = world.api.raw(method, asked, body, JSON if body else ())
            assert answer.status == 400, answer.said


@case
async def values_that_a_parameter_cannot_have(world):
    wrong = {"integer": ["", "x", "0", "-1", "1001", "1.5", "1e2", "%2B1", "0x1", "%C2%B2",
                         "99999999999999999999"],
             "boolean": ["", "1", "yes", "TRUE", "null"], "enum": ["", "none", "Queue", "QUEUE"]}
    for method, target, described in each_operation(world):
        for parameter in (each for each in described["parameters"] if each["in"] == "query"):
            schema = parameter["schema"]
            kind = "enum" if "enum" in schema else schema["type"]
            for value in wrong.get(kind, []):
                body = "{}" if "requestBody" in described else None
                asked = f"{BASE}{target}?{parameter['name']}={value}"
                answer = world.api.raw(method, asked, body, JSON if body else ())
                assert answer.status == 400, answer.said
    for query in ["limit=%", "limit=%zz", "cursor=%ff", "%ff=1"]:
        answer = world.api.raw("GET", f"{BASE}/addresses?{query}")
        assert answer.status == 400, answer.said


@case
async def cursors_that_no_page_has_ended_with(world):
    for target in ["/permissions", "/policies", "/audit", "/sessions", "/connections"]:
        for cursor in ["x", "-1", "1.5", "%2B1", "99999999999999999999", ""]:
            answer = world.api.raw("GET", f"{BASE}{target}?cursor={cursor}")
            assert answer.status == 400, answer.said


@case
async def bodies_that_are_not_json(world):
    for method, template, right in TAKING:
        target = BASE + template.format("none")
        octets = json.dumps(right).encode()
        for wrong in [b"", b"{", b"{}x", b"\xff", b"{'a': 1}", b"[1,]", b"nul", b"NaN", octets[:-1],
                      b"\xef\xbb\xbf{}", b'{"text": "\xff"}', b'{"a":"\\ud800"}']:
            answer = world.api.raw(method, target, wrong, JSON)
            assert answer.status == 400, answer.said
            assert json.loads(answer.octets)["code"] == "invalid-request", answer.said


@case
async def bodies_of_another_shape(world):
    for method, template, right in TAKING:
        for wrong in [[], "x", 1, True, {**right, "unknown-field": 1}]:
            if template == "/definitions/rabbitmq" and isinstance(wrong, dict):
                continue
            world.api.refused("invalid-value", method, template.format("none"), wrong)


@case
async def an_array_is_no_object(world):
    """Fields have names; that their order is known to the broker is nobody's business."""
    for method, template, wrong in [
            ("PUT", "/users/{}", [None, None]), ("PUT", "/addresses/{}", ["queue"]),
            ("POST", "/addresses/{}/messages", ["text", None]), ("PUT", "/policies/{}", ["a"]),
            ("PUT", "/routes/{}", ["alias", "", "a", ["b"]]), ("POST", "/tokens", ["admin", 5]),
            ("POST", "/drain", [0, 1002]), ("PUT", "/definitions", [1]),
            ("POST", "/addresses/{}/redrive", [5]), ("POST", "/addresses/{}/move", ["x", 5])]:
        answer = world.api.call(method, template.format(world.name()), wrong)
        assert answer.status == 422, answer.said


@case
async def numbers_that_json_writes_otherwise(world):
    """JSON Schema: 5.0 is an integer."""
    target = BASE + path("addresses", world.queue(), "redrive")
    for number in [b"5", b"5.0", b"5e0", b"50e-1"]:
        answer = world.api.raw("POST", target, b'{"messages_max": ' + number + b"}", JSON)
        assert answer.status == 200, answer.said
    for number in [b"5.5", b"-5", b"1e400", b'"5"', b"18446744073709551616"]:
        answer = world.api.raw("POST", target, b'{"messages_max": ' + number + b"}", JSON)
        assert answer.status in (400, 422), answer.said


@case
async def a_name_that_is_there_twice_in_an_object(world):
    """Readers disagree about which of the two counts, so neither should."""
    target = BASE + path("addresses", world.queue(), "messages")
    answer = world.api.raw("POST", target, b'{"text": "a", "text": "b"}', JSON)
    assert answer.status in (204, 400, 422), answer.said


@case
async def media_types(world):
    target = path("addresses", world.queue())
    for media in ["application/json", "application/json; charset=utf-8", "Application/JSON ;a=b"]:
        answer = world.api.raw("PUT", BASE + target, b"{}", {"Content-Type": media})
        assert answer.status == 200, answer.said
    for method, template, right in TAKING:
        for media in ["text/plain", "application/jsonx", "application/problem+json", "json", "",
                      "application/xml", "*/*", None]:
            fields = {"Content-Type": media} if media is not None else {}
            octets = json.dumps(right).encode()
            answer = world.api.raw(method, BASE + template.format("none"), octets, fields)
            assert answer.status == 415, answer.said


@case
async def bodies_that_are_too_large(world):
    target = BASE + path("addresses", world.queue(), "messages")
    frame = len(b'{"text": ""}')
    fits = b'{"text": "' + b"x" * ((1 << 20) - frame) + b'"}'
    assert world.api.raw("POST", target, fits, JSON).status == 204
    for method, template, _ in TAKING:
        most = 16 << 20 if template.startswith("/definitions") else 1 << 20
        large = b'{"x": "' + b"x" * most + b'"}'
        answer = world.api.raw(method, BASE + template.format("none"), large, JSON)
        assert answer.status == 413, answer.said[:300]
        # In chunks, whose sum nobody says beforehand.
        answer = world.api.raw(method, BASE + template.format("none"), chunks(large), JSON)
        assert answer.status == 413, answer.said[:300]


def chunks(octets, size=65_536):
    return [octets[at:at + size] for at in range(0, len(octets), size)]


@case
async def bodies_where_none_is_taken(world):
    for method, target, described in each_operation(world):
        if "requestBody" not in described:
            answer = world.api.raw(method, BASE + target, b"{}", JSON)
            assert answer.status == 400, answer.said


@case
async def a_body_in_chunks(world):
    name = world.queue()
    target = BASE + path("addresses", name, "messages")
    answer = world.api.raw("POST", target, [b'{"te', b'xt": ', b'"in chunks"}'], JSON)
    assert answer.status == 204, answer.said
    lines = [f"POST {target} HTTP/1.1", f"Host: {world.address}", "Connection: close",
             f"Authorization: {world.api.authorization}", "Content-Type: application/json",
             "Content-Length: 15", "Expect: 100-continue", "", ""]
    answer = said(world, lines, b'{"text": "100"}')
    assert b"HTTP/1.1 204" in answer, answer
    assert world.texts(name) == ["in chunks", "100"]


@case
async def paths_and_methods_that_are_none(world):
    for target in ["/nothing", "/", "", "/users/", "/users/a/b", "/addresses/a/nothing", "//users",
                   "/addresses//messages", "/Users", "/addresses/a/subscriptions/b/c"]:
        answer = world.api.call("GET", target)
        assert (answer.status, answer["code"]) == (404, "not-found"), answer.said
    for target in ["/api/v2/overview", "/api/", "/api/v1"]:
        assert world.api.raw("GET", target).status == 404, target
    # `/api` is below nothing, and not the API's.
    assert world.api.raw("GET", "/api").status == 404
    for target in ["%", "%zz", "%f", "%ff", "%c3%28"]:
        answer = world.api.raw("GET", f"{BASE}/users/{target}")
        assert answer.status == 400, answer.said


@case
async def methods_that_a_path_has_not(world):
    for template, methods in world.document.content["paths"].items():
        target = BASE + "/".join("x" if "{" in part else part for part in template.split("/"))
        has = {method.upper() for method in methods}
        for method in {"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE"} - has:
            answer = world.api.raw(method, target, b"")
            assert answer.status == 405, answer.said
            assert set(answer.headers["allow"].split(", ")) == has, answer.headers


@case
async def answers_are_kept_by_nobody(world):
    for answer in [world.api.get("/whoami"), world.api.call("GET", "/nothing"),
                   world.api.by(None).call("GET", "/whoami")]:
        assert answer.headers["cache-control"] == "no-store", answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff", answer.headers


@case
async def one_connection_for_many_requests(world):
    connection = http.client.HTTPConnection(world.address, timeout=20)
    fields = {"Authorization": world.api.authorization}
    for _ in range(200):
        connection.request("GET", BASE + "/whoami", headers=fields)
        response = connection.getresponse()
        assert response.status == 200 and json.loads(response.read())["user"] == "admin"
    # After an error the next request is answered too.
    for method, target, body in [("PUT", "/users/x", b"{"), ("GET", "/nothing", b""),
                                 ("POST", "/tokens", b"x" * 100)]:
        connection.request(method, BASE + target, body, {**fields, **JSON})
        assert connection.getresponse().read()
    connection.request("GET", BASE + "/whoami", headers=fields)
    assert connection.getresponse().status == 200
    connection.close()
