"""Microsoft's Python SDKs (v1.0 and beta) against the simulated tenant: reads, pages, writes, errors.

In: the address of `musterout simulate` with scenario.yaml. Out: a line for each check; 1 if one fails.
"""

import asyncio
import sys

from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.device_management.managed_devices.item.wipe.wipe_post_request_body import WipePostRequestBody
from msgraph.generated.device_management.managed_devices.managed_devices_request_builder import (
    ManagedDevicesRequestBuilder as Devices,
)
from msgraph.generated.models.managed_device import ManagedDevice
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.user import User
from msgraph.generated.users.users_request_builder import UsersRequestBuilder as Users
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph_beta import GraphServiceClient as BetaClient
from msgraph_beta.generated.device_management.managed_devices.item.deprovision.deprovision_post_request_body import (
    DeprovisionPostRequestBody,
)
from msgraph_beta.generated.models.device import Device
from msgraph_beta.graph_request_adapter import GraphRequestAdapter as BetaAdapter

LAB = ["10000000-0000-4000-8000-00000000000%d" % n for n in (1, 2, 3)]
ADA, BO = ("20000000-0000-4000-8000-00000000000%d" % n for n in (1, 2))
IDENTITY = "30000000-0000-4000-8000-000000000001"
ENTRA = "40000000-0000-4000-8000-000000000001"
GROUP = "60000000-0000-4000-8000-000000000001"

failed = 0


def check(what, is_so, told=""):
    global failed
    failed += not is_so
    print(("ok    " if is_so else "FAIL  ") + "python: " + what + ("" if is_so else f": {told}"))


class Token(AuthenticationProvider):
    async def authenticate_request(self, request, additional_authentication_context=None):
        request.headers.try_add("Authorization", "Bearer any")


def asked(builder, **options):
    name = next(name for name in dir(builder) if name.endswith("GetQueryParameters"))
    return RequestConfiguration(query_parameters=getattr(builder, name)(**options))


async def refused(call):
    try:
        await call
    except ODataError as error:
        return error.response_status_code, error.error.code
    return None


async def v1(client):
    devices = client.device_management.managed_devices
    page = await devices.get(asked(Devices, select=["id", "deviceName"], orderby=["deviceName desc"]))
    names = [device.device_name for device in page.value]
    while page.odata_next_link:
        page = await devices.with_url(page.odata_next_link).get()
        names += [device.device_name for device in page.value]
    check("pages of devices, sorted", names == ["LAB-03", "LAB-02", "LAB-01"], names)
    page = await devices.get(asked(Devices, filter="operatingSystem eq 'iOS' and lastSyncDateTime gt 2026-02-01T00:00:00Z"))
    check("a filter with and, and a date", [device.id for device in page.value] == [LAB[1]], page.value)
    told = await refused(devices.get(asked(Devices, filter="serialNumber in ('SN-1')")))
    check("a filter that Intune has not", told == (400, "BadRequest"), told)

    device = devices.by_managed_device_id(LAB[0])
    changed = await device.patch(ManagedDevice(notes="spare"))
    check("a PATCH of a device shows it", changed is not None and changed.id == LAB[0], changed)
    check("a device without select has no notes", (await device.get()).notes is None)
    await device.sync_device.post()
    await device.wipe.post(WipePostRequestBody(keep_user_data=True))
    state = (await device.get()).management_state
    check("a wipe is pending", str(state).lower().replace("_", "").endswith("wipepending"), state)
    told = await refused(devices.by_managed_device_id(ADA).retire.post())
    check("a device that is not there", told == (404, "ResourceNotFound"), told)

    user = client.users.by_user_id(ADA)
    await user.patch(User(account_enabled=False))
    shown = await user.get()
    check("a user without select has no account state", shown.account_enabled is None and shown.display_name == "Ada", shown)
    found = await client.users.get(asked(Users, filter="accountEnabled eq false", select=["id", "accountEnabled"]))
    check("a filter of a boolean", {user.id for user in found.value} == {ADA, BO}, found.value)
    eventual = asked(Users, count=True, filter="not (displayName eq 'Ada')")
    eventual.headers.add("ConsistencyLevel", "eventual")
    counted = await client.users.get(eventual)
    check("an advanced query is counted", counted.odata_count == 1, counted.odata_count)
    told = await refused(client.users.get(asked(Users, filter="displayName ne 'Ada'")))
    check("an advanced query without its header", told == (400, "Request_UnsupportedQuery"), told)
    check("sessions are revoked", (await user.revoke_sign_in_sessions.post()).value is True)

    members = await client.groups.by_group_id(GROUP).members.get()
    kinds = sorted(type(member).__name__ for member in members.value)
    check("members say what they are", kinds == ["Device", "User"], kinds)
    await client.groups.by_group_id(GROUP).members.by_directory_object_id(ADA).ref.delete()
    members = await client.groups.by_group_id(GROUP).members.get()
    check("a membership goes by $ref, and the user stays", len(members.value) == 1 and await user.get() is not None)
    await client.users.by_user_id(BO).delete()
    restored = await client.directory.deleted_items.by_directory_object_id(BO).restore.post()
    check("a user is restored", restored.id == BO, restored)


async def beta(client):
    devices = client.device_management.managed_devices
    await devices.by_managed_device_id(LAB[2]).deprovision.post(DeprovisionPostRequestBody(deprovision_reason="sold"))
    identity = client.device_management.windows_autopilot_device_identities.by_windows_autopilot_device_identity_id(IDENTITY)
    await identity.unassign_user_from_device.post()
    await identity.unassign_resource_account_from_device.post()
    check("an identity has no user any more", (await identity.get()).user_principal_name == "")
    await client.devices.by_device_id(ENTRA).patch(Device(account_enabled=False))
    check("a device in Entra is disabled", (await client.devices.by_device_id(ENTRA).get()).account_enabled is False)
    await client.devices.by_device_id(ENTRA).delete()
    deleted = await client.directory.deleted_items.graph_device.get()
    check("a deleted device is among the deleted items", [item.id for item in deleted.value] == [ENTRA], deleted)
    restored = await client.directory.deleted_items.by_directory_object_id(ENTRA).restore.post()
    check("and comes back", restored.id == ENTRA, restored)
    await client.users.by_user_id(ADA).remove_all_devices_from_management.post()
    left = await client.users.by_user_id(ADA).managed_devices.get()
    states = [str(device.management_state) for device in left.value]
    check("all devices of a user are retired", all("etire" in state for state in states) and states, states)


async def main(url):
    adapter = GraphRequestAdapter(Token())
    adapter.base_url = f"{url}/v1.0"
    await v1(GraphServiceClient(request_adapter=adapter))
    adapter = BetaAdapter(Token())
    adapter.base_url = f"{url}/beta"
    await beta(BetaClient(request_adapter=adapter))


asyncio.run(main(sys.argv[1]))
sys.exit(1 if failed else 0)
