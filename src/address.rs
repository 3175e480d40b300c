//! Addresses of services: one spelling for each, and which are this machine's.
//!
//! In: an address, or a host. Out: the spelling, or whether it stays here. Pure. Must not: look a name up.

use std::net::{IpAddr, Ipv6Addr};

use http::Uri;

/// Addresses of one service are spelled alike: what was done is known by the address too.
pub(crate) fn one_spelling(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("https").to_ascii_lowercase();
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<Ipv6Addr>();
    let host = address.map_or(host, |address| format!("[{address}]"));
    let usual = if scheme == "http" { 80 } else { 443 };
    let port = uri.port_u16().filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{}{port}{}", host.trim_end_matches('.'), uri.path().trim_end_matches('/'))
}

/// Whether an address of the host can only be this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
