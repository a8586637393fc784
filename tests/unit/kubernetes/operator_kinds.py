"""What of the operators' kinds our charts use, closed: any other field is a misspelling, or a new thing to look up.

Written from the definitions of KEDA 2, the RabbitMQ cluster operator 2, MongoDB's community operator 0.13 and the
Prometheus operator. `CERTRAIL_TEST_CRDS` holds the charts against the definitions themselves.
"""

# ruff: noqa: N815 the names are the operators'

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
Whole = Annotated[int, Field(ge=0, strict=True)]
Duration = Annotated[str, StringConstraints(pattern=r"^[0-9]+[smh]$")]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Metadata(Closed):
    name: Name
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Named(Closed):
    name: Name


class Authentication(Named):
    kind: Literal["TriggerAuthentication"] = "TriggerAuthentication"


class FromSecret(Closed):
    parameter: Literal["host", "ca", "tls"]
    name: Name
    key: str


class RabbitmqTrigger(Closed):
    """Every value of a trigger is a text."""

    protocol: Literal["amqp"]
    queueName: str
    mode: Literal["QueueLength"]
    value: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*$")]


class PrometheusTrigger(Closed):
    serverAddress: str
    threshold: Annotated[str, StringConstraints(pattern=r"^[0-9.]+$")]
    query: str


class Rabbitmq(Closed):
    type: Literal["rabbitmq"]
    name: str
    metadata: RabbitmqTrigger
    authenticationRef: Authentication


class Prometheus(Closed):
    type: Literal["prometheus"]
    name: str
    metadata: PrometheusTrigger
    authenticationRef: Authentication | None = None


class Target(Closed):
    apiVersion: Literal["apps/v1"]
    kind: Literal["Deployment"]
    name: Name


class Fallback(Closed):
    failureThreshold: Whole
    replicas: Whole


class Scaling(Closed):
    scaleTargetRef: Target
    minReplicaCount: Whole
    maxReplicaCount: Whole
    pollingInterval: Whole
    cooldownPeriod: Whole
    fallback: Fallback
    advanced: dict[Literal["horizontalPodAutoscalerConfig"], dict[Literal["behavior"], dict[str, dict[str, Whole]]]]
    triggers: list[Annotated[Rabbitmq | Prometheus, Field(discriminator="type")]] = Field(min_length=1)


class ScaledObject(Closed):
    apiVersion: Literal["keda.sh/v1alpha1"]
    kind: Literal["ScaledObject"]
    metadata: Metadata
    spec: Scaling


class TriggerAuthenticationSpec(Closed):
    secretTargetRef: list[FromSecret]
    configMapTargetRef: list[FromSecret] = []


class TriggerAuthentication(Closed):
    apiVersion: Literal["keda.sh/v1alpha1"]
    kind: Literal["TriggerAuthentication"]
    metadata: Metadata
    spec: TriggerAuthenticationSpec


class Relabeling(Closed):
    sourceLabels: list[str] = []
    targetLabel: str
    replacement: str = "$1"


class Endpoint(Closed):
    port: Literal["internal", "prometheus", "prometheus-tls"]
    path: str = "/metrics"
    interval: Duration | None = None
    scheme: Literal["http", "https"] = "http"
    params: dict[str, list[str]] = {}
    tlsConfig: dict[str, Any] | None = None
    relabelings: list[Relabeling] = []


class PodMonitorSpec(Closed):
    selector: dict[Literal["matchLabels", "matchExpressions"], Any]
    podMetricsEndpoints: list[Endpoint] = Field(min_length=1)


class PodMonitor(Closed):
    apiVersion: Literal["monitoring.coreos.com/v1"]
    kind: Literal["PodMonitor"]
    metadata: Metadata
    spec: PodMonitorSpec


class Rule(Closed):
    alert: str
    expr: str
    since: Annotated[Duration | None, Field(alias="for")] = None
    labels: dict[str, str]
    annotations: dict[str, str]


class RuleGroup(Closed):
    name: str
    rules: list[Rule] = Field(min_length=1)


class PrometheusRule(Closed):
    apiVersion: Literal["monitoring.coreos.com/v1"]
    kind: Literal["PrometheusRule"]
    metadata: Metadata
    spec: dict[Literal["groups"], list[RuleGroup]]


class BrokerTls(Closed):
    secretName: Name
    caSecretName: Name
    disableNonTLSListeners: bool


class BrokerSpec(Closed):
    replicas: Whole
    resources: dict[Literal["requests", "limits"], dict[str, str]]
    persistence: dict[Literal["storage", "storageClassName"], str]
    tls: BrokerTls | None = None
    rabbitmq: dict[Literal["additionalConfig"], str]
    affinity: dict[str, Any]


class RabbitmqCluster(Closed):
    apiVersion: Literal["rabbitmq.com/v1beta1"]
    kind: Literal["RabbitmqCluster"]
    metadata: Metadata
    spec: BrokerSpec


class MongoTls(Closed):
    enabled: Literal[True]
    certificateKeySecretRef: Named
    caCertificateSecretRef: Named


class MongoSecurity(Closed):
    authentication: dict[Literal["modes"], list[Literal["SCRAM"]]]
    tls: MongoTls | None = None


class PasswordReference(Named):
    key: str


class MongoUser(Closed):
    name: str
    db: str
    passwordSecretRef: PasswordReference
    roles: list[dict[Literal["name", "db"], str]]
    scramCredentialsSecretName: Name
    connectionStringSecretName: Name


class MongoSpec(Closed):
    type: Literal["ReplicaSet"]
    members: Whole
    version: str
    security: MongoSecurity
    users: list[MongoUser] = Field(min_length=1)
    additionalMongodConfig: dict[str, Any]
    statefulSet: dict[Literal["spec"], Any]


class MongoDBCommunity(Closed):
    apiVersion: Literal["mongodbcommunity.mongodb.com/v1"]
    kind: Literal["MongoDBCommunity"]
    metadata: Metadata
    spec: MongoSpec


KINDS: dict[str, type[BaseModel]] = {
    kind.__name__: kind
    for kind in (ScaledObject, TriggerAuthentication, PodMonitor, PrometheusRule, RabbitmqCluster, MongoDBCommunity)
}
