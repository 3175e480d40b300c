"""The binary against a mock that takes what Microsoft's schema has, and nothing else.

The schema is that of Microsoft's Python SDKs (v1.0 and beta), which are made from it: for each path a request builder with
its methods, for each body a class with its properties and their types. Nothing of it is copied here; it is read from the
packages that are installed.

In: the binary. Out: a line for each fault; 1 if there is one. Every action on every route, with the least and with all of its
parameters.
"""

import http.server
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import uuid

ROOT = {
    version: pathlib.Path(importlib.util.find_spec(package).origin).parent / "generated"
    for version, package in (("v1.0", "msgraph"), ("beta", "msgraph_beta"))
}

# What the SDK has not: three collections of scripts that lead to a device, and the devices that a profile is assigned to, are
# on Microsoft's reference pages of the actions; how a primary user is removed is in Microsoft's Intune samples.
ONLY_ON_PAGES = ("/deviceRunStates/", "/deploymentProfile/assignedDevices/", "/managedDevices/{managedDeviceId}/users/$ref")

TYPES = {
    "get_bool_value": lambda value: isinstance(value, bool),
    "get_str_value": lambda value: isinstance(value, str),
    "get_int_value": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "get_uuid_value": lambda value: isinstance(value, str) and bool(uuid.UUID(value)),
}


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Place:
    """A path of the SDK: its folder, its request builder, and the classes that belong to it."""

    def __init__(self, version, path):
        self.version = version
        parts = ["item" if part.startswith("{") else snake(part.lstrip("$")) for part in path.strip("/").split("/")]
        self.folder = ROOT[version].joinpath(*parts)
        files = [file for file in self.folder.glob("*_request_builder.py")]
        self.text = files[0].read_text() if files else ""

    def has(self, method):
        return f"async def {method.lower()}(" in self.text

    def body_of(self, method):
        """The file of the class that a method takes, or none where it takes no body."""
        found = re.search(rf"async def {method.lower()}\(self,body: (\w+)", self.text)
        if not found:
            return None
        name = snake(found.group(1))
        for file in (self.folder / f"{name}.py", ROOT[self.version] / "models" / f"{name}.py"):
            if file.exists():
                return file
        raise LookupError(f"{found.group(1)} of {self.folder}")


def fields(file):
    """Properties of a class, with the way in which each is read."""
    found = re.findall(r'"([^"]+)": lambda n : setattr\(self, \'\w+\', n\.(\w+)\(([^)]*)\)', file.read_text())
    own = {name: (reader, inner) for name, reader, inner in found}
    base = re.search(r"^class \w+\((\w+)", file.read_text(), re.M)
    above = file.parent / f"{snake(base.group(1))}.py" if base else None
    if above is not None and above.exists() and above != file:
        own = {**fields(above), **own}
    return own


def fault_of(version, file, body):
    if not isinstance(body, dict):
        return f"{body} is no object"
    known = fields(file)
    for name, value in body.items():
        if name not in known:
            return f"no property {name} in {file.stem}"
        reader, inner = known[name]
        told = fault_of_value(version, reader, inner, value)
        if told:
            return f"{name}: {told}"
    return None


def fault_of_value(version, reader, inner, value):
    if value is None:
        return None
    if reader in TYPES:
        try:
            return None if TYPES[reader](value) else f"{value!r} for {reader}"
        except ValueError:
            return f"{value!r} for {reader}"
    model = ROOT[version] / "models" / f"{snake(inner.split(',')[0])}.py"
    if reader == "get_enum_value":
        words = re.findall(r'= "([^"]+)"', model.read_text())
        return None if value in words else f"{value!r} is none of {words}"
    if reader == "get_object_value":
        return fault_of(version, model, value)
    if reader == "get_collection_of_object_values":
        told = (fault_of(version, model, item) for item in value)
        return next((fault for fault in told if fault), None)
    if reader == "get_collection_of_primitive_values":
        return None if isinstance(value, list) else f"{value!r} is no list"
    return None


class Mock(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    routes = {}
    faults = []
    seen = []

    def log_message(self, *_):
        pass

    def answer(self, status, body=None):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if text:
            self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        name = re.search(r"userPrincipalName%20eq%20%27(.+?)%27", query)
        if name:
            text = name.group(1).replace("%2E", ".").replace("%40", "@").replace("%2D", "-")
            self.answer(200, {"value": [{"id": str(uuid.UUID(int=9)), "userPrincipalName": text}]})
        elif path.endswith("s"):
            self.answer(200, {"value": []})
        else:
            self.answer(200, {"id": path.rsplit("/", 1)[-1], "userPrincipalName": "ada@contoso.com"})

    def write(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for pattern, (name, place, codes) in self.routes.items():
            if self.command == pattern[0] and pattern[1].fullmatch(self.path):
                self.seen.append((name, self.path))
                self.judge(name, place, body)
                status = codes[0] if codes else 204
                return self.answer(status, None if status == 204 else {"id": "x", "value": True})
        self.faults.append(f"{self.command} {self.path}: no such route")
        return self.answer(400, {"error": {"code": "BadRequest", "message": "no such route"}})

    do_POST = do_PATCH = do_DELETE = do_PUT = write

    def judge(self, name, place, body):
        told = None
        wanted = place.body_of(self.command) if place is not None else None
        if place is not None and not place.has(self.command):
            told = f"the schema has no {self.command}"
        elif body and self.headers.get("Content-Type") != "application/json":
            told = "no Content-Type"
        elif body and place is not None and wanted is None:
            told = "a body where there is none"
        elif body and wanted is not None:
            told = fault_of(place.version, wanted, json.loads(body))
        if told:
            self.faults.append(f"{name} {self.command} {self.path}: {told} {body[:200]!r}")


def value(parameter):
    expects, kind = parameter["expects"], parameter["type"]
    if expects.startswith("one of "):
        return expects[7:].split(", ")[0]
    if kind == "Boolean":
        return True
    if kind == "Int32":
        return 30
    if kind == "Guid":
        return str(uuid.UUID(int=7, version=4))
    if kind == "Collection(Guid)":
        return [str(uuid.UUID(int=8, version=4))]
    if "principal name" in expects:
        return "ada@contoso.com"
    if "six digits" in expects:
        return "012345"
    if "number" in expects:
        return "30"
    return f"LAB-{next(numbers)}"


numbers = iter(range(10, 10_000))


def jobs_of(action, route, all_of_them):
    parameters = action["parameters"]
    if not all_of_them:
        one_of = action.get("needs_one_of") or []
        parameters = [it for it in parameters if it["required"] or it["name"] in one_of[:1]]
    ids = {name: str(uuid.UUID(int=next(numbers) << 64, version=4)) for name in route["ids"]}
    job = {"action": action["name"], "route": route["name"], "targets": [ids]}
    if parameters:
        job["with"] = {it["name"]: value(it) for it in parameters}
    return job


def main(binary):
    listed = json.loads(subprocess.run([binary, "actions", "--format", "json"], capture_output=True, check=True).stdout)
    listed = listed if isinstance(listed, list) else listed["actions"]
    jobs = []
    for action in listed:
        for route in action["routes"]:
            for version in route["versions"]:
                pattern = re.sub(r"\{\w+\}", "[^/]+", re.escape(f"/{version}{route['path']}").replace(r"\{", "{").replace(r"\}", "}"))
                place = Place(version, route["path"])
                if any(part in route["path"] for part in ONLY_ON_PAGES):
                    place = None
                elif not place.has(route["method"]):
                    Mock.faults.append(f"{action['name']}: the {version} schema has no {route['method']} {route['path']}")
                Mock.routes[(route["method"], re.compile(pattern))] = (action["name"], place, action.get("success_codes"))
            jobs += [jobs_of(action, route, False), jobs_of(action, route, True)]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mock)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as folder:
        plan = pathlib.Path(folder, "plan.yaml")
        # JSON is YAML.
        plan.write_text(json.dumps({"version": 1, "guards": {"max_targets": 10_000}, "jobs": jobs}))
        command = [binary, "run", str(plan), "--graph-url", url, "--confirm-at-most", "10000", "--unpaced"]
        command += ["--report", str(pathlib.Path(folder, "report.csv"))]
        ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MUSTEROUT_ACCESS_TOKEN": "any"})
        report = pathlib.Path(folder, "report.csv")
        rows = report.read_text() if report.exists() else ""
    if ran.returncode != 0:
        Mock.faults.append(f"musterout ended with {ran.returncode}: {ran.stdout[-600:]}{ran.stderr[-3000:]}{rows[-1500:]}")
    if len(Mock.seen) != len(jobs):
        Mock.faults.append(f"{len(jobs)} jobs, and {len(Mock.seen)} requests")
    for fault in Mock.faults:
        print(f"FAIL  schema: {fault}")
    if not Mock.faults:
        print(f"ok    schema: {len(jobs)} requests of {len(listed)} actions are what Microsoft's schema has")
    return 1 if Mock.faults else 0


sys.exit(main(sys.argv[1]))
