#!/usr/bin/env python3
"""Records what ansible-core does with the cases: `tests/compat/record.py [--all] [FILE ...]`.

Needs ansible-playbook on the PATH (`pip install ansible-core==2.18.*`). Without files: the cases that have no record.
Each case is a playbook `cases/AREA/NAME.yml`; its record is `NAME.txt` beside it. Lines `# args:` and `# env:` at the top of
a playbook give one run each (`# env:` before a run's args belongs to all runs after it), `# any order` sorts the tasks of a
play by name and leaves out what is included (strategies that do not keep hosts in step).

A transcript: `PLAY name`, `TASK name` or `HANDLER name`, then a line for each host (sorted): its status and the fields of the
result that are compared, as JSON; items of loops with their label in parentheses before it; then the recap and the exit code.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent


def header(path):
    """The runs that a playbook asks for: (arguments, environment), and whether the order of tasks does not matter."""
    runs, env, any_order = [], {}, False
    for line in path.read_text().splitlines():
        if line.startswith("# args:"):
            runs.append((line[len("# args:"):].strip(), dict(env)))
        elif line.startswith("# env:"):
            env.update(word.split("=", 1) for word in shlex.split(line[len("# env:"):]))
        elif line.startswith("# any order"):
            any_order = True
    return runs or [("", env)], any_order


def normal(value, path):
    """A value as JSON, the case's folder as DIR, the folder of all cases as UP."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return text.replace(str(path.parent), "DIR").replace(str(HERE), "UP")


def plain(fields):
    """Numbers and booleans that are a whole field as text: a text that is one template keeps its type in one program, not in the other."""
    number = lambda value: str(value) if type(value) in (int, float, bool) else value
    plain = {key: number(value) for key, value in fields.items()}
    if isinstance(plain.get("ansible_facts"), dict):
        plain["ansible_facts"] = {key: number(value) for key, value in plain["ansible_facts"].items()}
    return plain


def line_of(event, path):
    words = [event["host"]]
    if event.get("delegate") not in (None, event["host"]) and "{{" not in event["delegate"]:
        words.append("-> " + event["delegate"])
    if event["kind"] == "retry":
        return " ".join(["  ", *words, "retry", str(event["left"])])
    if event["kind"] == "item":
        hidden = event["fields"].get("censored")
        words.append("(%s)" % ("hidden" if hidden else event["label"].replace(str(path.parent), "DIR")))
    words.append(event["status"])
    if event["ignored"] and event["kind"] != "item":
        words.append("ignored")
    if event["fields"]:
        words.append(normal(plain(event["fields"]), path))
    return " ".join(["  ", *words])


def transcript(events, path, any_order):
    """Events as lines."""
    plays, tail = [], []
    for event in events:
        kind = event["kind"]
        if kind == "play":
            plays.append({"name": event["name"], "tasks": [], "no_hosts": False})
        elif kind == "no hosts":
            plays[-1]["no_hosts"] = True
        elif kind == "recap":
            counts = " ".join(map(str, event["counts"]))
            tail.append("RECAP %s %s" % (event["host"], counts))
        elif kind == "stats":
            tail.append("STATS " + normal(event["fields"].get("_run", {}), path))
        else:
            tasks = plays[-1]["tasks"] if plays else []
            task = next((task for task in reversed(tasks) if task["id"] == event["id"]), None)
            if kind == "task":
                if task is None or not any_order:
                    tasks.append({"id": event["id"], "heading": event["heading"], "name": event["name"], "lines": []})
            elif task is None or (kind == "include" and any_order):
                pass
            elif kind == "include":
                label = " (%s)" % event["label"].replace(str(path.parent), "DIR") if event["label"] is not None else ""
                task["lines"].append(("~", "   include %s for %s%s" % (event["file"], " ".join(sorted(event["hosts"])), label)))
            else:
                task["lines"].append((event["host"], line_of(event, path)))
    lines = []
    for play in plays:
        tasks = [task for task in play["tasks"] if task["lines"]]
        if tasks or play["no_hosts"]:
            lines.append("PLAY " + play["name"])
        if play["no_hosts"]:
            lines.append("  no hosts")
        if any_order:
            tasks.sort(key=lambda task: task["name"])
        for task in tasks:
            lines.append("%s %s" % (task["heading"], task["name"]))
            lines.extend(line for _, line in sorted(task["lines"], key=lambda pair: pair[0]))
    return "\n".join(lines + tail) + "\n"


def run(path, args, extra):
    """One run of ansible-playbook: its events and its exit code."""
    with tempfile.TemporaryDirectory() as home:
        record, config = os.path.join(home, "events.json"), os.path.join(home, "ansible.cfg")
        pathlib.Path(config).touch()
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "REGATTA_"))}
        env = keep | {
            "HOME": home, "ANSIBLE_HOME": home + "/.ansible", "TRANSCRIPT": record, "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "ANSIBLE_CONFIG": config, "ANSIBLE_STDOUT_CALLBACK": "transcript", "ANSIBLE_RETRY_FILES_ENABLED": "0",
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"), "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
            "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_ASYNC_DIR": home + "/.ansible_async",
        } | extra
        words = shlex.split(args)
        if not any(word in ("-i", "--inventory") for word in words):
            words = ["-i", "../../hosts.ini", *words]
        done = subprocess.run(
            ["ansible-playbook", path.name, *words], cwd=path.parent, env=env, capture_output=True, text=True, timeout=300,
        )
        events = json.loads(pathlib.Path(record).read_text()) if os.path.exists(record) else []
        text = json.dumps(events, ensure_ascii=False).replace(home, "HOME")
        return json.loads(text), done


def record(path):
    runs, any_order = header(path)
    text = ""
    for args, env in runs:
        events, done = run(path, args, env)
        text += ("$ " + " ".join([path.name, args])).rstrip() + "\n"
        text += transcript(events, path, any_order) if events else ""
        text += "EXIT %d\n" % done.returncode
        if not events:
            print(path.name, args, done.stderr.strip()[:300])
    path.with_suffix(".txt").write_text(text)
    print("recorded", path.relative_to(HERE))


def main():
    words = sys.argv[1:]
    cases = [pathlib.Path(word).resolve() for word in words if not word.startswith("-")]
    if not cases:
        cases = sorted(HERE.glob("cases/*/*.yml"))
        if "--all" not in words:
            cases = [case for case in cases if not case.with_suffix(".txt").exists()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(record, cases))


if __name__ == "__main__":
    main()
