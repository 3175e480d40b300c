//! Managed devices: help from afar.
//!
//! In: nothing. Out: rows of the table. Must not: hold code.

use super::base::{ANDROID, BETA, IOS, ON_DEVICE, PRIVILEGED, READ, READ_WRITE, V1_AND_BETA, WINDOWS};
use super::base::{acted_on, at, device_routes, optional, required};
use crate::catalog::action::{Action, Alters, OncePer, ReadBack, Repeat, Risk};
use crate::catalog::parameter::ParameterKind;

pub(super) const SYNC_DEVICE: Action = Action {
    name: "syncDevice",
    summary: "Ask the device to check in now.",
    routes: device_routes!("syncDevice", V1_AND_BETA),
    permissions: &[PRIVILEGED],
    risk: Risk::Harmless,
    repeat: Repeat::Harmless,
    notes: &["A good canary before a destructive plan, and an accelerator after one."],
    ..ON_DEVICE
};

pub(super) const REBOOT_NOW: Action = Action {
    name: "rebootNow",
    summary: "Restart the device.",
    routes: device_routes!("rebootNow", V1_AND_BETA),
    read_permission: Some(READ),
    read_back: ReadBack::ActionResult { action_name: "rebootNow" },
    notes: &["What the user has not saved is lost."],
    ..ON_DEVICE
};

pub(super) const SHUT_DOWN: Action = Action {
    name: "shutDown",
    summary: "Shut the device down.",
    routes: device_routes!("shutDown", V1_AND_BETA),
    read_permission: Some(READ),
    read_back: ReadBack::ActionResult { action_name: "shutDown" },
    notes: &["What the user has not saved is lost, and somebody has to start the device by hand."],
    ..ON_DEVICE
};

pub(super) const LOGOUT_SHARED_APPLE_USER: Action = Action {
    name: "logoutSharedAppleDeviceActiveUser",
    summary: "Sign out whoever uses a shared iPad now.",
    routes: device_routes!("logoutSharedAppleDeviceActiveUser", V1_AND_BETA),
    read_permission: Some(READ),
    read_back: ReadBack::ActionResult { action_name: "logoutSharedAppleDeviceActiveUser" },
    notes: &["What the user has not saved is lost; sent twice, it signs out the next one."],
    platforms: IOS,
    ..ON_DEVICE
};

pub(super) const DELETE_SHARED_APPLE_USER: Action = Action {
    name: "deleteUserFromSharedAppleDevice",
    summary: "Delete a user's data from a shared iPad.",
    routes: device_routes!("deleteUserFromSharedAppleDevice", V1_AND_BETA),
    once_per: OncePer::Parameters,
    parameters: &[acted_on(required("userPrincipalName", ParameterKind::PrincipalName, "Whose data goes."))],
    read_permission: Some(READ),
    risk: Risk::Irreversible,
    read_back: ReadBack::ActionResult { action_name: "deleteUserFromSharedAppleDevice" },
    platforms: IOS,
    ..ON_DEVICE
};

pub(super) const SET_DEVICE_NAME: Action = Action {
    name: "setDeviceName",
    summary: "Rename the device.",
    routes: device_routes!("setDeviceName", BETA),
    parameters: &[required(
        "deviceName",
        ParameterKind::DeviceName,
        "The new name; on Windows up to 15 letters, digits and hyphens.",
    )],
    alters: &[Alters::Name],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    notes: &["The new name shows after the device's next restart."],
    ..ON_DEVICE
};

pub(super) const WINDOWS_DEFENDER_SCAN: Action = Action {
    name: "windowsDefenderScan",
    summary: "Have Defender scan the device.",
    routes: device_routes!("windowsDefenderScan", V1_AND_BETA),
    parameters: &[required("quickScan", ParameterKind::Boolean, "A quick scan instead of a full one.")],
    risk: Risk::Harmless,
    repeat: Repeat::Harmless,
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const WINDOWS_DEFENDER_UPDATE_SIGNATURES: Action = Action {
    name: "windowsDefenderUpdateSignatures",
    summary: "Have Defender fetch its newest signatures.",
    routes: device_routes!("windowsDefenderUpdateSignatures", V1_AND_BETA),
    risk: Risk::Harmless,
    repeat: Repeat::Harmless,
    platforms: WINDOWS,
    ..ON_DEVICE
};

/// The one property of the body, in which all others stand.
macro_rules! of_account {
    ($name:literal) => {
        concat!("updateWindowsDeviceAccountActionParameter/", $name)
    };
}

pub(super) const UPDATE_WINDOWS_DEVICE_ACCOUNT: Action = Action {
    name: "updateWindowsDeviceAccount",
    summary: "Change how the account of a Surface Hub is used.",
    routes: device_routes!("updateWindowsDeviceAccount", V1_AND_BETA),
    // deviceAccount holds a password. Secrets are no parameters: what a plan says is recorded and shown.
    parameters: &[
        at(
            of_account!("deviceAccountEmail"),
            optional("deviceAccountEmail", ParameterKind::Name, "The account's address."),
        ),
        at(
            of_account!("exchangeServer"),
            optional("exchangeServer", ParameterKind::Text, "The account's Exchange server."),
        ),
        // Graph spells it like that.
        at(
            of_account!("sessionInitiationProtocalAddress"),
            optional("sessionInitiationProtocalAddress", ParameterKind::Text, "The account's SIP address."),
        ),
        at(
            of_account!("calendarSyncEnabled"),
            optional("calendarSyncEnabled", ParameterKind::Boolean, "Show the account's calendar."),
        ),
        at(
            of_account!("passwordRotationEnabled"),
            optional("passwordRotationEnabled", ParameterKind::Boolean, "Let the device change the password."),
        ),
    ],
    needs_one_of: &[
        "deviceAccountEmail",
        "exchangeServer",
        "sessionInitiationProtocalAddress",
        "calendarSyncEnabled",
        "passwordRotationEnabled",
    ],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    notes: &["The account's password cannot be given: a plan holds no secrets."],
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const REQUEST_REMOTE_ASSISTANCE: Action = Action {
    name: "requestRemoteAssistance",
    summary: "Ask for a remote assistance session with the device.",
    routes: device_routes!("requestRemoteAssistance", V1_AND_BETA),
    permissions: &[READ_WRITE],
    risk: Risk::Reversible,
    read_back: ReadBack::ActionResult { action_name: "requestRemoteAssistance" },
    ..ON_DEVICE
};

pub(super) const SEND_CUSTOM_NOTIFICATION: Action = Action {
    name: "sendCustomNotificationToCompanyPortal",
    summary: "Show a notification in the Company Portal app.",
    routes: device_routes!("sendCustomNotificationToCompanyPortal", BETA),
    once_per: OncePer::Parameters,
    parameters: &[
        required("notificationTitle", ParameterKind::Text, "The title."),
        required("notificationBody", ParameterKind::Text, "The text."),
    ],
    permissions: &[READ_WRITE],
    risk: Risk::Reversible,
    read_back: ReadBack::ActionResult { action_name: "sendCustomNotificationToCompanyPortal" },
    notes: &["A kind word before a retire."],
    ..ON_DEVICE
};

pub(super) const CREATE_LOG_COLLECTION_REQUEST: Action = Action {
    name: "createDeviceLogCollectionRequest",
    summary: "Collect diagnostics from a Windows device.",
    routes: device_routes!("createDeviceLogCollectionRequest", BETA),
    fixed_body: Some(
        r##"{"templateType":{"@odata.type":"#microsoft.graph.deviceLogCollectionRequest","templateType":"predefined"}}"##,
    ),
    permissions: &[READ_WRITE],
    risk: Risk::Reversible,
    notes: &["To be done before a wipe, while there is something to collect."],
    success_codes: &[200, 201],
    ..ON_DEVICE
};

pub(super) const TRIGGER_CONFIGURATION_MANAGER_ACTION: Action = Action {
    name: "triggerConfigurationManagerAction",
    summary: "Have the Configuration Manager client of a co-managed device do something.",
    routes: device_routes!("triggerConfigurationManagerAction", BETA),
    parameters: &[at(
        "configurationManagerAction/action",
        required(
            "configurationManagerAction",
            ParameterKind::OneOf(&[
                "refreshMachinePolicy",
                "refreshUserPolicy",
                "wakeUpClient",
                "appEvaluation",
                "quickScan",
                "fullScan",
                "windowsDefenderUpdateSignatures",
            ]),
            "What it does.",
        ),
    )],
    risk: Risk::Harmless,
    repeat: Repeat::Harmless,
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const INITIATE_PROACTIVE_REMEDIATION: Action = Action {
    name: "initiateOnDemandProactiveRemediation",
    summary: "Run a remediation script on the device now.",
    routes: device_routes!("initiateOnDemandProactiveRemediation", BETA),
    once_per: OncePer::Parameters,
    parameters: &[required("scriptPolicyId", ParameterKind::Guid, "The script package.")],
    read_permission: Some(READ),
    read_back: ReadBack::ActionResult { action_name: "initiateOnDemandProactiveRemediation" },
    notes: &["As dangerous as the script is."],
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const INITIATE_DEVICE_ATTESTATION: Action = Action {
    name: "initiateDeviceAttestation",
    summary: "Have a Windows device prove its state.",
    routes: device_routes!("initiateDeviceAttestation", BETA),
    risk: Risk::Harmless,
    repeat: Repeat::Harmless,
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const ENROLL_NOW: Action = Action {
    name: "enrollNowAction",
    summary: "Have a co-managed device enrol now.",
    routes: device_routes!("enrollNowAction", BETA),
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const PAUSE_CONFIGURATION_REFRESH: Action = Action {
    name: "pauseConfigurationRefresh",
    summary: "Stop the regular refresh of the device's settings for a while.",
    routes: device_routes!("pauseConfigurationRefresh", BETA),
    parameters: &[required("pauseTimePeriodInMinutes", ParameterKind::Minutes, "How long.")],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const OVERRIDE_COMPLIANCE_STATE: Action = Action {
    name: "overrideComplianceState",
    summary: "Call the device non-compliant whatever its policies say, or end that.",
    routes: device_routes!("overrideComplianceState", BETA),
    parameters: &[
        required(
            "complianceState",
            ParameterKind::OneOf(&["basedOnDeviceCompliancePolicy", "nonCompliant"]),
            "What counts from now on.",
        ),
        optional("remediationUrl", ParameterKind::Text, "Where the user finds help."),
    ],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    notes: &["Conditional access may lock a non-compliant device out."],
    ..ON_DEVICE
};

pub(super) const CHANGE_ASSIGNMENTS: Action = Action {
    name: "changeAssignments",
    summary: "Take one app or configuration off the device for a while, or give it back.",
    routes: device_routes!("changeAssignments", BETA),
    // Graph takes a list; a row has one result, and so one item.
    once_per: OncePer::Parameters,
    parameters: &[
        at(
            "deviceAssignmentItems/0/itemType",
            required(
                "itemType",
                ParameterKind::OneOf(&[
                    "application",
                    "deviceConfiguration",
                    "deviceManagementConfigurationPolicy",
                    "mobileAppConfiguration",
                ]),
                "What it is.",
            ),
        ),
        at("deviceAssignmentItems/0/itemId", required("itemId", ParameterKind::Guid, "Which one.")),
        at(
            "deviceAssignmentItems/0/assignmentItemActionIntent",
            required(
                "assignmentItemActionIntent",
                ParameterKind::OneOf(&["remove", "restore"]),
                "Whether it goes or comes back.",
            ),
        ),
    ],
    read_permission: Some(READ),
    read_back: ReadBack::ActionResult { action_name: "changeAssignments" },
    success_codes: &[200, 204],
    ..ON_DEVICE
};

pub(super) const SUSPEND_MANAGED_HOME_SCREEN: Action = Action {
    name: "suspendManagedHomeScreen",
    summary: "Let the user of an Android kiosk leave the managed home screen for a while.",
    routes: device_routes!("suspendManagedHomeScreen", BETA),
    parameters: &[optional("timeoutMinutes", ParameterKind::MinutesInWords, "How long.")],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    platforms: ANDROID,
    ..ON_DEVICE
};

pub(super) const RESTORE_MANAGED_HOME_SCREEN: Action = Action {
    name: "restoreManagedHomeScreen",
    summary: "Bring the managed home screen of an Android kiosk back.",
    routes: device_routes!("restoreManagedHomeScreen", BETA),
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    platforms: ANDROID,
    ..ON_DEVICE
};
