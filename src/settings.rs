//! Settings: flags and environment, merged and validated.
//!
//! In: [`Flags`] from the command line, and the environment. Out: [`Settings`]: where to connect, and who we are.
//! The only reader of the environment. Must not: open connections, or let a secret into an error.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use http::Uri;
use secrecy::{ExposeSecret, SecretString};

use crate::address::{is_loopback, one_spelling};
use crate::diagnostics::Diagnostic;
use crate::journal::place::JournalPlace;

/// A Microsoft cloud: its login and Graph hosts.
///
/// Source: Graph's national cloud deployments page; for China's login host the newer of two pages that disagree.
#[derive(Debug, PartialEq, Eq)]
struct Cloud {
    pub name: &'static str,
    pub login_url: &'static str,
    pub graph_url: &'static str,
}

/// The first is the default.
static CLOUDS: &[Cloud] = &[
    Cloud { name: "global", login_url: "https://login.microsoftonline.com", graph_url: "https://graph.microsoft.com" },
    Cloud { name: "usgov", login_url: "https://login.microsoftonline.us", graph_url: "https://graph.microsoft.us" },
    Cloud {
        name: "usgov-dod",
        login_url: "https://login.microsoftonline.us",
        graph_url: "https://dod-graph.microsoft.us",
    },
    Cloud {
        name: "china",
        login_url: "https://login.partner.microsoftonline.cn",
        graph_url: "https://microsoftgraph.chinacloudapi.cn",
    },
];

/// What the command line says about the connection.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub cloud: Option<String>,
    pub graph_url: Option<String>,
    pub login_url: Option<String>,
    pub state_dir: Option<JournalPlace>,
}

/// The variables that are read, under the names that the Azure tools use where there are such.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    pub graph_url: Option<String>,
    pub authority_host: Option<String>,
    pub tenant_id: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
    pub access_token: Option<SecretString>,
    /// Where programs keep what they must remember: `XDG_STATE_HOME`, or `LOCALAPPDATA` on Windows.
    pub state_home: Option<PathBuf>,
    pub home: Option<PathBuf>,
    /// Where a person's settings are: `XDG_CONFIG_HOME`, or `APPDATA` on Windows.
    pub config_home: Option<PathBuf>,
    /// Where the settings of all who use the machine are: `XDG_CONFIG_DIRS`, or `PROGRAMDATA` on Windows.
    pub config_dirs: Option<OsString>,
}

impl Environment {
    /// Reads the process's environment. An empty variable counts as absent; one that cannot be understood is a fault, because
    /// nobody knows what it was to say.
    pub fn read() -> Result<Self, Box<Diagnostic>> {
        Ok(Self {
            graph_url: text("MUSTEROUT_GRAPH_URL")?,
            authority_host: text("AZURE_AUTHORITY_HOST")?,
            tenant_id: text("AZURE_TENANT_ID")?,
            client_id: text("AZURE_CLIENT_ID")?,
            client_secret: text("AZURE_CLIENT_SECRET")?.map(SecretString::from),
            access_token: text("MUSTEROUT_ACCESS_TOKEN")?.map(SecretString::from),
            state_home: folder("XDG_STATE_HOME").or_else(|| folder("LOCALAPPDATA")),
            home: folder("HOME"),
            config_home: folder("XDG_CONFIG_HOME").or_else(|| folder("APPDATA")),
            config_dirs: variable("XDG_CONFIG_DIRS").or_else(|| variable("PROGRAMDATA")),
        })
    }
}

fn variable(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
    let value = std::env::var_os(name);
    value.filter(|value| !value.is_empty())
}

/// A folder may have any name that the system knows.
fn folder(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from)
}

fn text(name: &str) -> Result<Option<String>, Box<Diagnostic>> {
    match variable(name).map(OsString::into_string).transpose() {
        Ok(text) => Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())),
        // Not quoted: it may be a secret.
        Err(_) => {
            let message = format!("the variable {name} is not UTF-8 text");
            Err(Box::new(Diagnostic::error("bad-variable", message).help("set it again, or unset it")))
        }
    }
}

/// A policy that may apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    pub path: PathBuf,
    /// Somebody asked for it, so it has to be there.
    pub named: bool,
}

/// Where the settings of all who use a machine are, whatever a variable says: whoever starts the program sets the variables.
const CONFIG_DIR: &str = if cfg!(windows) { r"C:\ProgramData" } else { "/etc/xdg" };

impl Environment {
    /// The policies that apply where they exist: the machine's, the person's, and the one that is `named`.
    pub fn policies(&self, named: Option<&Path>) -> Vec<PolicyFile> {
        let more = self.config_dirs.iter().flat_map(|dirs| std::env::split_paths(dirs).collect::<Vec<_>>());
        let shared = std::iter::once(PathBuf::from(CONFIG_DIR)).chain(more.filter(|dir| dir != Path::new(CONFIG_DIR)));
        let home = || self.home.as_ref().map(|home| home.join(".config"));
        let own = self.config_home.clone().or_else(home);
        let well_known = shared.chain(own).filter(|folder| !folder.as_os_str().is_empty());
        let well_known = well_known.map(|folder| PolicyFile { path: folder.join(POLICY), named: false });
        well_known.chain(named.map(|path| PolicyFile { path: path.to_owned(), named: true })).collect()
    }
}

/// The name of a policy in a folder of settings.
const POLICY: &str = "musterout/policy.yaml";

/// Who we are towards the tenant.
#[derive(Debug, Clone)]
pub enum SignInIdentity {
    AccessToken(SecretString),
    ClientSecret { tenant: String, client_id: String, secret: SecretString },
}

/// Where to connect, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Without a slash at the end.
    pub graph_url: String,
    /// Without a slash at the end.
    pub login_url: String,
    /// The tenant that the environment names.
    pub tenant: Option<String>,
    identity: Result<SignInIdentity, Vec<&'static str>>,
    state_dir: Option<JournalPlace>,
}

impl Settings {
    /// Flags win over the environment, both over the cloud's own hosts.
    pub fn new(flags: &Flags, environment: &Environment) -> Result<Self, Box<Diagnostic>> {
        let cloud = match &flags.cloud {
            Some(name) => CLOUDS.iter().find(|cloud| cloud.name == name).ok_or_else(|| unknown_cloud(name))?,
            None => &CLOUDS[0],
        };
        // A cloud that was asked for is not overruled by a variable that happens to be set.
        let from_environment = |variable: &Option<String>| variable.clone().filter(|_| flags.cloud.is_none());
        let graph_url = flags.graph_url.clone().or_else(|| from_environment(&environment.graph_url));
        let login_url = flags.login_url.clone().or_else(|| from_environment(&environment.authority_host));
        Ok(Self {
            graph_url: base_url("--graph-url", graph_url.as_deref().unwrap_or(cloud.graph_url))?,
            login_url: base_url("--login-url", login_url.as_deref().unwrap_or(cloud.login_url))?,
            tenant: environment.tenant_id.clone(),
            identity: identity(environment)?,
            state_dir: flags.state_dir.clone().or_else(|| state_dir(environment).map(JournalPlace::from)),
        })
    }

    /// Where the journal is kept.
    pub fn state_dir(&self) -> Result<&JournalPlace, Box<Diagnostic>> {
        self.state_dir.as_ref().ok_or_else(|| {
            let message = "there is no place for the journal: neither XDG_STATE_HOME nor HOME is set";
            Box::new(Diagnostic::error("no-state-dir", message).help("choose a folder with --state-dir"))
        })
    }

    /// Who we are, or a diagnostic that says which variables are missing.
    pub fn identity(&self) -> Result<&SignInIdentity, Box<Diagnostic>> {
        self.identity.as_ref().map_err(|missing| {
            let fault = Diagnostic::error("no-credentials", format!("not signed in: {} not set", are(missing))).help(
                "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or MUSTEROUT_ACCESS_TOKEN; \
                 or try the plan against the built-in tenant with --simulate",
            );
            Box::new(fault)
        })
    }

    /// Whether requests stay on this machine.
    pub fn is_local(&self) -> bool {
        is_local(&self.graph_url)
    }

    /// Whether a run that was begun at these addresses may go on there although nobody names them today: what a journal says is
    /// not reason enough to show today's secret to a host that only the journal knows.
    pub fn knows(&self, graph_url: &str, login_url: &str) -> bool {
        let in_a_cloud = CLOUDS.iter().any(|cloud| (cloud.graph_url, cloud.login_url) == (graph_url, login_url));
        let known = |url: &str, named: &str| is_local(url) || url == named;
        in_a_cloud || (known(graph_url, &self.graph_url) && known(login_url, &self.login_url))
    }
}

fn is_local(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(is_loopback))
}

fn state_dir(environment: &Environment) -> Option<PathBuf> {
    let home = || environment.home.as_ref().map(|home| home.join(".local/state"));
    environment.state_home.clone().or_else(home).map(|state| state.join("musterout"))
}

fn are(missing: &[&str]) -> String {
    match missing {
        [one] => format!("{one} is"),
        [rest @ .., last] => format!("{} and {last} are", rest.join(", ")),
        [] => "nothing is".into(),
    }
}

fn identity(environment: &Environment) -> Result<Result<SignInIdentity, Vec<&'static str>>, Box<Diagnostic>> {
    if let Some(token) = &environment.access_token {
        // Not quoted: it is a secret even when it is broken.
        if token.expose_secret().chars().any(|c| !c.is_ascii_graphic()) {
            let message =
                "MUSTEROUT_ACCESS_TOKEN contains spaces, line breaks or other characters that a token cannot contain";
            return Err(Box::new(
                Diagnostic::error("bad-token", message).help("set it to the token only, in one line"),
            ));
        }
        return Ok(Ok(SignInIdentity::AccessToken(token.clone())));
    }
    let Environment { tenant_id, client_id, client_secret, .. } = environment;
    if let (Some(tenant), Some(client_id), Some(secret)) = (tenant_id, client_id, client_secret) {
        return match is_tenant(tenant) {
            true => Ok(Ok(SignInIdentity::ClientSecret {
                tenant: tenant.clone(),
                client_id: client_id.clone(),
                secret: secret.clone(),
            })),
            false => Err(Box::new(
                Diagnostic::error("bad-tenant", format!("AZURE_TENANT_ID is not a tenant: `{tenant}`"))
                    .help("use the id or a domain of one tenant; `common` and `organizations` are not tenants"),
            )),
        };
    }
    let missing = [
        ("AZURE_TENANT_ID", tenant_id.is_none()),
        ("AZURE_CLIENT_ID", client_id.is_none()),
        ("AZURE_CLIENT_SECRET", client_secret.is_none()),
    ];
    Ok(Err(missing.into_iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| name).collect()))
}

/// An id or a domain: it becomes a segment of the token endpoint's path.
fn is_tenant(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    plain && !text.starts_with('.') && (text.contains('.') || uuid::Uuid::try_parse(text).is_ok())
}

fn unknown_cloud(name: &str) -> Box<Diagnostic> {
    let names: Vec<_> = CLOUDS.iter().map(|cloud| cloud.name).collect();
    let fault = Diagnostic::error("unknown-cloud", format!("unknown cloud `{name}`"));
    Box::new(fault.help(format!("known: {}", names.join(", "))))
}

/// `https`, or `http` on this machine only: a token must not travel in the clear.
fn base_url(flag: &str, text: &str) -> Result<String, Box<Diagnostic>> {
    let bare_host = text.split([':', '/']).next().unwrap_or_default();
    if !text.contains("://") && is_loopback(bare_host) {
        let fault = Diagnostic::error("bad-url", format!("{flag}: `{text}` does not say whether it is http or https"));
        return Err(Box::new(fault.help(format!("write http://{text} for the simulated tenant"))));
    }
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let fault = |what: &str| {
        let fault = Diagnostic::error("bad-url", format!("{flag}: `{text}` {what}"))
            .help("use an address such as https://graph.microsoft.com; http is accepted only for loopback addresses");
        Err(Box::new(fault))
    };
    let Ok(uri) = with_scheme.parse::<Uri>() else { return fault("is not an address") };
    let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else { return fault("names no host") };
    if authority.as_str().contains('@') {
        return fault("holds a user name or password");
    }
    if uri.query().is_some() || with_scheme.contains('#') {
        return fault("holds a query or fragment");
    }
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback(host) => {}
        Some("http") => return fault("would send the token unencrypted"),
        _ => return fault("is neither https nor http"),
    }
    // A library takes them out of the path before it sends, so that one service would have many addresses.
    if uri.path().split('/').any(|part| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")) {
        return fault("has `.` or `..` in its path");
    }
    Ok(one_spelling(&uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(flags: Flags, environment: Environment) -> Result<Settings, Box<Diagnostic>> {
        Settings::new(&flags, &environment)
    }

    #[test]
    fn flags_win_over_environment_and_cloud() {
        let environment = Environment { graph_url: Some("http://127.0.0.1:1".into()), ..Environment::default() };
        assert_eq!(settings(Flags::default(), environment.clone()).unwrap().graph_url, "http://127.0.0.1:1");
        let flags = Flags { graph_url: Some("http://localhost:2/".into()), ..Flags::default() };
        assert_eq!(settings(flags, environment.clone()).unwrap().graph_url, "http://localhost:2");
        for odd in ["http://127.0.0.1:1/x/..", "http://127.0.0.1:1/./v1", "http://127.0.0.1:1/%2E%2e/"] {
            let flags = Flags { graph_url: Some(odd.into()), ..Flags::default() };
            assert!(settings(flags, environment.clone()).is_err(), "{odd}");
        }
        let flags = Flags { graph_url: Some("http://[0:0:0:0:0:0:0:1]:2".into()), ..Flags::default() };
        assert_eq!(settings(flags, environment.clone()).unwrap().graph_url, "http://[::1]:2");
        for spelling in
            ["https://GRAPH.microsoft.com/", "graph.microsoft.com:443", "HTTPS://graph.microsoft.com.:443//"]
        {
            let flags = Flags { graph_url: Some(spelling.into()), ..Flags::default() };
            let told = settings(flags, environment.clone()).unwrap().graph_url;
            assert_eq!(told, "https://graph.microsoft.com", "{spelling}");
        }
        let flags = Flags { cloud: Some("usgov".into()), ..Flags::default() };
        assert_eq!(settings(flags, environment).unwrap().graph_url, "https://graph.microsoft.us");
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for url in
            ["http://graph.microsoft.com", "http://10.0.0.1", "ftp://localhost", "https://u:p@h", "https://h/?q", ""]
        {
            let flags = Flags { graph_url: Some(url.into()), ..Flags::default() };
            assert!(settings(flags, Environment::default()).is_err(), "{url}");
        }
        for url in ["http://127.0.0.1:8080", "http://[::1]:8080", "http://LOCALHOST", "https://graph.example"] {
            let flags = Flags { graph_url: Some(url.into()), ..Flags::default() };
            assert!(settings(flags, Environment::default()).is_ok(), "{url}");
        }
    }

    #[test]
    fn missing_credentials_are_named() {
        let environment = Environment { tenant_id: Some("contoso.com".into()), ..Environment::default() };
        let fault = settings(Flags::default(), environment).unwrap().identity().unwrap_err();
        assert!(fault.message.contains("AZURE_CLIENT_ID and AZURE_CLIENT_SECRET are not set"), "{}", fault.message);
    }

    #[test]
    fn a_tenant_is_one_tenant() {
        let with = |tenant: &str| Environment {
            tenant_id: Some(tenant.into()),
            client_id: Some("c".into()),
            client_secret: Some("s".to_owned().into()),
            ..Environment::default()
        };
        assert!(settings(Flags::default(), with("contoso.com")).is_ok());
        for tenant in ["common", "../x.y", "a/b.c", "organizations"] {
            assert!(settings(Flags::default(), with(tenant)).is_err(), "{tenant}");
        }
    }

    #[test]
    fn policies_of_machine_and_person_apply_beside_the_named_one() {
        let environment = Environment {
            config_dirs: Some("/etc/one:/etc/two".into()),
            home: Some("/home/ada".into()),
            ..Environment::default()
        };
        let found = environment.policies(Some(Path::new("site.yaml")));
        let found: Vec<_> = found.iter().map(|file| (file.path.display().to_string(), file.named)).collect();
        let expected = [
            ("/etc/xdg/musterout/policy.yaml", false),
            ("/etc/one/musterout/policy.yaml", false),
            ("/etc/two/musterout/policy.yaml", false),
            ("/home/ada/.config/musterout/policy.yaml", false),
            ("site.yaml", true),
        ];
        assert_eq!(found, expected.map(|(path, named)| (path.to_owned(), named)));
    }

    #[test]
    fn a_secret_is_not_in_the_debug_text() {
        let environment = Environment { access_token: Some("hunter2".to_owned().into()), ..Environment::default() };
        let text = format!("{:?} {:?}", environment, settings(Flags::default(), environment.clone()).unwrap());
        assert!(!text.contains("hunter2"));
    }
}
