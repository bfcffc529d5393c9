"""Writes what ansible-playbook does as a transcript, to compare another program with it.

Used by record.py only. The form of a transcript is described there.
"""

import atexit
import json
import os

from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase

CALLBACK_VERSION = 2.0
SHOWN = {"debug", "set_fact", "fail", "assert", "include_vars", "group_by", "add_host", "set_stats"}
COMMANDS = {"command", "shell"}
SKIPPED = {"false_condition", "skip_reason", "skipped_reason"}
HIDDEN = {
    "changed", "failed", "skipped", "unreachable", "invocation", "item", "results", "warnings", "deprecations", "exception",
    "ansible_loop", "ansible_loop_var", "ansible_index_var", "failed_when_result", "attempts", "retries", "finished",
    "started", "diff",
}


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "transcript"

    def __init__(self):
        super().__init__()
        self.events = []
        self.task = None
        atexit.register(self._save)

    def _put(self, **event):
        self.events.append(event)

    def v2_playbook_on_play_start(self, play):
        self._put(kind="play", name=play.get_name().strip())

    def v2_playbook_on_no_hosts_matched(self):
        self._put(kind="no hosts")

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._start(task, "TASK")

    def v2_playbook_on_handler_task_start(self, task):
        self._start(task, "HANDLER")

    def _start(self, task, kind):
        self.task = task._uuid
        self._put(kind="task", id=task._uuid, heading=kind, name=task.get_name().strip())

    def v2_playbook_on_include(self, included):
        label = self._get_item_label(included._vars)
        self._put(
            kind="include", id=self.task, file=os.path.basename(included._filename),
            hosts=[host.name for host in included._hosts], label=None if label is None else str(label),
        )

    def _result(self, result, status, item=False, ignored=False):
        # What is included is announced once for all its hosts.
        if isinstance(result._task, TaskInclude) and status in ("ok", "changed"):
            return
        # What `meta` does is not announced by all programs.
        if result._task.action.endswith("meta"):
            return
        data = dict(result._result)
        action = result._task.resolved_action or result._task.action
        fields = fields_of(data, action.split(".")[-1], status)
        label = str(self._get_item_label(data)) if item else None
        self._put(
            kind="item" if item else "result", id=result._task._uuid, host=result._host.get_name(), status=status,
            ignored=bool(ignored), delegate=None if "results" in data and not item else result._task.delegate_to, label=label,
            fields={} if not item and "results" in data else fields,
        )

    def v2_runner_on_ok(self, result):
        self._result(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result(result, "failed", ignored=ignore_errors)

    def v2_runner_on_skipped(self, result):
        self._result(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self._result(result, "unreachable", ignored=result._task.ignore_unreachable)

    def v2_runner_item_on_ok(self, result):
        self._result(result, "changed" if result._result.get("changed") else "ok", item=True)

    def v2_runner_item_on_failed(self, result):
        self._result(result, "failed", item=True)

    def v2_runner_item_on_skipped(self, result):
        self._result(result, "skipped", item=True)

    def v2_runner_retry(self, result):
        left = result._result["retries"] - result._result["attempts"]
        self._put(kind="retry", id=result._task._uuid, host=result._host.get_name(), left=left)

    def v2_playbook_on_stats(self, stats):
        names = ("ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored")
        for host in sorted(stats.processed):
            counts = stats.summarize(host)
            self._put(kind="recap", host=host, counts=[counts[name] for name in names])
        if stats.custom:
            self._put(kind="stats", fields=stats.custom)

    def _save(self):
        with open(os.environ["TRANSCRIPT"], "w", encoding="utf-8") as file:
            json.dump(self.events, file, default=str)


def fields_of(data, action, status):
    """The fields of a result that are compared."""
    if data.get("censored"):
        return {"censored": True}
    if status == "skipped":
        return {key: value for key, value in data.items() if key in SKIPPED}
    if action in COMMANDS:
        return {key: data[key] for key in ("rc", "stdout") if key in data and status != "failed"}
    if action not in SHOWN or (status in ("failed", "unreachable") and action != "fail" and "assertion" not in data):
        return {}
    loop_var = data.get("ansible_loop_var")
    hidden = HIDDEN | {loop_var, data.get("ansible_index_var")}
    return {key: value for key, value in data.items() if key not in hidden and not key.startswith("_ansible")}
