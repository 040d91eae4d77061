"""Components go together as the manifests' README says, and every file is named there."""

import re
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from serving.settings import ServerSettings, read
from tests.assets import needs_crds
from tests.manifests.admission import refusals
from tests.manifests.rendered import COMPONENTS, MANIFESTS, OVERLAYS, built, containers, of_kind
from tests.manifests.schemas import problems

README = MANIFESTS / "README.md"
GATEWAY = ["api-keys", "jwt", "open-paths", "rate-limits"]
"""Components for an Envoy Gateway, which Standard mode alone has before it."""

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

SUPPORTED = [
    *(("standard", added) for added in (("open-paths",), ("api-keys",), ("jwt",))),
    *(("standard", (added, "rate-limits")) for added in ("open-paths", "api-keys", "jwt")),
    *(("standard-canary", (added, "rate-limits")) for added in ("api-keys", "jwt")),
    *((overlay, ("pull-secret",)) for overlay in OVERLAYS),
    *((overlay, ("tracing",)) for overlay in OVERLAYS if overlay != "predictor-rest"),
]
RESOURCES = [path for path in sorted(MANIFESTS.rglob("*.yaml")) if path.name != "kustomization.yaml"]


def kustomization(directory: Path, overlay: str, components: tuple[str, ...]) -> Path:
    """A directory beside the manifests, as a user would write one."""
    relative = Path("../" * len(directory.parts[1:])) / MANIFESTS.relative_to("/")
    text = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(relative / "overlays" / overlay)],
        "components": [str(relative / "components" / component) for component in components],
    }
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(text))
    return directory


@needs_crds
@pytest.mark.parametrize(("overlay", "components"), SUPPORTED, ids=str)
def test_a_supported_combination_is_built_and_admitted(
    overlay: str, components: tuple[str, ...], tmp_path: Path
) -> None:
    documents = built(kustomization(tmp_path, overlay, components))
    assert refusals(documents) == []
    assert [problem for document in documents for problem in problems(document)] == []
    policies = of_kind("SecurityPolicy", documents) + of_kind("BackendTrafficPolicy", documents)
    assert len(policies) == len(set(components) & set(GATEWAY))
    service = of_kind("InferenceService", documents)[0]
    name = service["metadata"]["name"]
    for policy in policies:  # one host name without a guard would be the way in
        guarded = {target["name"] for target in policy["spec"]["targetRefs"]}
        assert guarded == {name, f"{name}-transformer", f"{name}-predictor"}


def test_every_component_is_in_an_overlay_or_in_a_supported_combination() -> None:
    texts = [(MANIFESTS / "overlays" / name / "kustomization.yaml").read_text() for name in OVERLAYS]
    used = {line.rpartition("/")[2] for line in "\n".join(texts).splitlines() if "/components/" in line}
    assert used | set(chain.from_iterable(components for _, components in SUPPORTED)) == set(COMPONENTS)


@pytest.mark.parametrize("path", RESOURCES, ids=lambda path: str(path.relative_to(MANIFESTS)))
def test_a_file_holds_one_object_or_one_patch(path: Path) -> None:
    documents = list(yaml.safe_load_all(path.read_text()))
    assert len(documents) == 1
    assert documents[0]


def test_the_readme_lists_every_directory_and_every_object() -> None:
    listed = set(re.findall(r"`([a-z0-9/-]+(?:\.yaml)?)`", README.read_text()))
    directories = {str(path.parent.relative_to(MANIFESTS)) for path in MANIFESTS.rglob("kustomization.yaml")}
    assert directories - listed == set()
    objects = {str(path.relative_to(MANIFESTS)) for path in RESOURCES if "kind" in yaml.safe_load(path.read_text())}
    assert objects - listed == set()
    assert {name for name in listed if name.endswith(".yaml") and not (MANIFESTS / name).is_file()} == set()


def test_only_one_policy_decides_who_may_ask() -> None:
    """Two SecurityPolicies on one route: Envoy Gateway takes the older one and drops the other without a word."""
    guarded = [set(components) & set(GATEWAY) for _, components in SUPPORTED]
    assert {len({"api-keys", "jwt", "open-paths"} & components) for components in guarded if components} == {1}


def test_who_names_no_client_meets_a_limit_too(tmp_path: Path) -> None:
    """Every rule for a client goes by a header, which anybody may leave out."""
    documents = built(kustomization(tmp_path, "standard", ("open-paths", "rate-limits")))
    (policy,) = of_kind("BackendTrafficPolicy", documents)
    rules = policy["spec"]["rateLimit"]["local"]["rules"]
    assert [rule["limit"]["requests"] for rule in rules if "clientSelectors" not in rule] == [200]


def test_a_private_registry_is_asked_with_a_secret(tmp_path: Path) -> None:
    accounts = of_kind("ServiceAccount", built(kustomization(tmp_path, "knative", ("pull-secret",))))
    assert [account["imagePullSecrets"] for account in accounts] == [[{"name": "registry"}]] * 2


@pytest.mark.parametrize("overlay", ["ab", "gpu", "knative", "standard"])
def test_both_servers_send_their_traces_where_they_may(overlay: str, tmp_path: Path) -> None:
    documents = built(kustomization(tmp_path, overlay, ("tracing",)))
    sent = [
        {variable["value"] for variable in container.get("env", ()) if variable["name"] == ENDPOINT}
        for document in documents
        for container in containers(document)
        if "image" in container
    ]
    (endpoint,) = set.union(*sent)
    assert all(sent), "a trace would end at the one that does not send"
    settings = read(ServerSettings, [f"--{ENDPOINT.lower()}={endpoint}"])
    assert settings.otel_exporter_otlp_endpoint == endpoint
    (policy,) = [
        each for each in of_kind("NetworkPolicy", documents) if each["metadata"]["name"].endswith("-collector")
    ]
    assert policy["spec"]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "image-classifier"}}
    *_, way = policy["spec"]["egress"]
    namespace = way["to"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    (port,) = way["ports"]
    url = urlsplit(endpoint)
    assert (url.hostname or "").split(".")[1] == namespace
    assert url.port == port["port"]
