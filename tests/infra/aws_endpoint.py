"""AWS for Terraform, bound to this machine: moto's server, taught what it lacks of that which `infra/` asks for.

Run as `python -m tests.infra.aws_endpoint PORT`. What no stand-in shows is told in docs/deploy.md.
"""

import inspect
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend
from moto.s3.responses import ACTION_MAP
from moto.sqs.models import Queue
from moto.sqs.responses import SQSResponse

from config.local.moto_endpoint import serve

# ARN → tags
_tags: defaultdict[str, dict[str, str]] = defaultdict(dict)


def instead(owner: type, name: str) -> Callable[[Callable[..., Any]], None]:
    """Replace a method; what takes its place gets the original as first argument."""
    original = getattr(owner, name)

    def replace(function: Callable[..., Any]) -> None:
        setattr(owner, name, lambda *arguments, **named: function(original, *arguments, **named))

    return replace


def teach() -> None:
    _queues()
    _scaling()
    _network()
    _services()
    _databases()
    _rights()


def _queues() -> None:
    """Attributes it does not keep, a policy it forgets whenever another attribute is set, and JSON as AWS writes it."""
    Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy", "SqsManagedSseEnabled"]
    Queue.redrive_allow_policy = Queue.sqs_managed_sse_enabled = None
    told = Queue.attributes.fget

    @instead(Queue, "_set_attributes")
    def set_attributes(original: Any, queue: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = {"Policy": queue.policy} if hasattr(queue, "_policy_json") else {}
        original(queue, {**kept, **attributes}, now)

    def attributes(queue: Queue) -> dict[str, Any]:
        found = {name: value for name, value in told(queue).items() if value not in {None, ""}}
        for name in found.keys() & {"RedrivePolicy", "RedriveAllowPolicy"}:
            found[name] = json.dumps(json.loads(found[name]), separators=(",", ":"))
        return found

    Queue.attributes = property(attributes)


def _scaling() -> None:
    """Tags, which the provider reads of each target; and that what is gone is not found, which is no wrong request: a
    call whose answer was lost is sent again."""
    asked = ApplicationAutoScalingResponse

    @instead(ApplicationAutoscalingBackend, "delete_scaling_policy")
    def delete(original: Any, backend: ApplicationAutoscalingBackend, *arguments: Any, **named: Any) -> None:
        try:
            original(backend, *arguments, **named)
        except AWSValidationException as error:
            raise JsonRESTError("ObjectNotFoundException", error.message) from error

    @instead(asked, "register_scalable_target")
    def register(original: Any, response: ApplicationAutoScalingResponse) -> str:
        answer: str = original(response)
        _tags[json.loads(answer)["ScalableTargetARN"]].update(response._get_param("Tags") or {})
        return answer

    asked.list_tags_for_resource = lambda response: json.dumps({"Tags": _tags[response._get_param("ResourceARN")]})


def _network() -> None:
    """What a rule says of itself, where it names a group or a prefix list and no addresses."""

    takes = inspect.signature(SecurityGroupRule.__init__)

    def description(rule: SecurityGroupRule) -> str | None:
        partners = (rule.ip_range, rule.source_group, rule.prefix_list)
        return next((partner["Description"] for partner in partners if "Description" in partner), None)

    @instead(SecurityGroupRule, "__init__")
    def begin(original: Any, rule: SecurityGroupRule, *arguments: Any, **named: Any) -> None:
        original(rule, *arguments, **named)
        rule.prefix_list = takes.bind(rule, *arguments, **named).arguments.get("prefix_list_id") or {}

    SecurityGroupRule.description = property(description)


def _services() -> None:
    @instead(EC2ContainerServiceResponse, "create_service")
    def create(original: Any, response: EC2ContainerServiceResponse) -> ActionResult:
        answer: ActionResult = original(response)
        service = answer._result["service"]
        service.availability_zone_rebalancing = response._get_param("availabilityZoneRebalancing", "DISABLED")
        service.health_check_grace_period_seconds = response._get_param("healthCheckGracePeriodSeconds")
        return answer


def _databases() -> None:
    """Parameters are somebody's own only where it says so, and an instance forgets that it is looked into."""

    @instead(RDSBackend, "create_db_instance")
    def create(original: Any, backend: RDSBackend, given: dict[str, Any]) -> DBInstance:
        made: DBInstance = original(backend, given)
        made.performance_insights_enabled = given.get("enable_performance_insights")
        made.performance_insights_kms_key_id = given.get("performance_insights_kms_key_id")
        return made

    @instead(DBParameterGroup, "update_parameters")
    def update(original: Any, group: DBParameterGroup, new: Iterable[dict[str, Any]]) -> None:
        original(group, [{**each, "Source": "user"} for each in new])


def _rights() -> None:
    """HeadBucket is asked for under the name of the right it takes, and a queue that is looked for by its name is that
    queue. That a request came by TLS is believed."""
    ACTION_MAP["BUCKET"]["HEAD"]["DEFAULT"] = "ListBucket"

    @instead(SQSResponse, "_determine_resource")
    def resource(original: Any, response: SQSResponse) -> str:
        name = response._get_param("QueueName")
        return f"arn:aws:sqs:{response.region}:{response.current_account}:{name}" if name else original(response)

    @instead(IAMPolicyStatement, "is_action_permitted")
    def is_permitted(original: Any, statement: IAMPolicyStatement, *arguments: Any, **named: Any) -> PermissionResult:
        if statement._statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}:
            return PermissionResult.NEUTRAL
        return original(statement, *arguments, **named)


if __name__ == "__main__":
    teach()
    serve(sys.argv[1])
