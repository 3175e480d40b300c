//! The parameters of a job, and the request body that they make.
//!
//! In: values that the plan has validated, or a body that was stored. Out: [`Parameters`]. Must not: judge values.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::ids::Ids;
use crate::catalog::body::{self, ParameterValue};
use crate::catalog::{Action, Definition, ParameterKind, Route};

/// The parameters of a job and the request body they make. Shared by all jobs that say the same.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameters {
    /// JSON text. Every attempt sends these very bytes, and none copies them.
    body: Bytes,
    beta: bool,
    /// The users that it names, as they are written.
    users: Box<[Box<str>]>,
}

impl Parameters {
    /// `values` must have been checked against the catalog; they are put into its order, so that equal parameters make
    /// equal bytes. `None` where there is nothing to send: such a request has no body at all.
    pub fn new(action: &Action, values: Vec<ParameterValue>) -> Option<Arc<Self>> {
        let beta = values.iter().any(|(parameter, _)| parameter.beta_only);
        let names = values.iter().filter(|(parameter, _)| parameter.kind == ParameterKind::PrincipalName);
        let users = names.filter_map(|(_, value)| value.as_str()).map(Box::from).collect();
        let body = body::write(action, values)?;
        Some(Arc::new(Self { body: body.to_string().into(), beta, users }))
    }

    /// What a stored body says. `None` where it is no body of this action.
    pub fn read(action: &'static Action, body: &str) -> Option<Arc<Self>> {
        let body = serde_json::from_str(body).ok()?;
        Self::new(action, body::read(action, &body).ok()?)
    }

    /// The same with the ids of a target where the body refers to them.
    pub(super) fn about(self: Arc<Self>, action: &'static Action, route: &Route, ids: &Ids) -> Arc<Self> {
        if !action.definition.is_some_and(Definition::refers_to_ids) {
            return self;
        }
        let id = |name: &str| {
            let at = route.ids.iter().position(|id| id.name == name)?;
            ids.iter().nth(at).map(str::to_owned)
        };
        let said = serde_json::from_str(self.body()).ok().and_then(|body| body::read(action, &body).ok());
        let body = said.and_then(|settings| body::write_for(action, settings, id));
        match body {
            Some(body) => Arc::new(Self { body: body.to_string().into(), beta: self.beta, users: self.users.clone() }),
            None => self,
        }
    }

    /// The names of users in the body. They lead to somebody, and may lead to somebody else tomorrow.
    pub fn users(&self) -> &[Box<str>] {
        &self.users
    }

    /// The same with each user called as `name_of` says; `None` where it does not say.
    pub fn with_users(
        self: &Arc<Self>,
        action: &'static Action,
        name_of: impl Fn(&str) -> Option<Box<str>>,
    ) -> Option<Arc<Self>> {
        let names: Vec<Box<str>> = self.users.iter().map(|name| name_of(name)).collect::<Option<_>>()?;
        if *names == *self.users {
            return Some(Arc::clone(self));
        }
        let mut values = body::read(action, &serde_json::from_str(self.body()).ok()?).ok()?;
        let of_users = values.iter_mut().filter(|(parameter, _)| parameter.kind == ParameterKind::PrincipalName);
        for ((_, value), name) in of_users.zip(names) {
            *value = Value::String(name.into());
        }
        Self::new(action, values)
    }

    /// The JSON document to send.
    pub fn body(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// The same, for the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// Whether one of them exists only in the beta version.
    pub fn need_beta(&self) -> bool {
        self.beta
    }
}
