//! Addresses of brokers: `amqp://user:password@host,host:port/vhost`, any of the hosts will do.

use std::path::Path;

use lapin::{
    tcp::OwnedTLSConfig,
    uri::{AMQPScheme, AMQPUri},
};

use crate::queue::QueueError;

/// Seconds between two signs of life; without them a broken line is noticed late.
const HEARTBEAT_SECONDS: u16 = 10;

/// Where brokers are, and how they are recognised.
#[derive(Clone)]
pub(super) struct Brokers {
    /// One for each host.
    pub(super) addresses: Vec<AMQPUri>,
    /// Certificate authorities.
    pub(super) tls: OwnedTLSConfig,
}

impl Brokers {
    /// Takes a URL with one host or several apart. The error never quotes the URL: it may hold a password.
    pub(super) fn parse(url: &str, ca_file: Option<&Path>) -> Result<Self, QueueError> {
        let parts = Parts::of(url).ok_or_else(malformed)?;
        let each = parts.hosts.split(',').map(|host| parts.address_of(host.trim()));
        let addresses = each.collect::<Option<Vec<AMQPUri>>>().ok_or_else(malformed)?;
        let is_encrypted = addresses.iter().all(|address| address.scheme == AMQPScheme::AMQPS);
        if ca_file.is_some() && !is_encrypted {
            let advice = "queue.ca_file is for encrypted connections; begin queue.url with amqps://";
            return Err(QueueError::Unusable { advice: advice.to_owned() });
        }
        Ok(Self { addresses, tls: tls(ca_file)? })
    }

    /// Hosts and ports, for messages.
    pub(super) fn names(&self) -> String {
        let names = self.addresses.iter().map(name_of);
        names.collect::<Vec<String>>().join(", ")
    }
}

/// Host and port.
pub(super) fn name_of(address: &AMQPUri) -> String {
    format!("{}:{}", address.authority.host, address.authority.port)
}

struct Parts<'a> {
    scheme: &'a str,
    user: &'a str,
    hosts: &'a str,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (user, hosts) = match authority.rfind('@') {
            Some(at) => authority.split_at(at + 1),
            None => ("", authority),
        };
        Some(Self { scheme, user, hosts, rest })
    }

    fn address_of(&self, host: &str) -> Option<AMQPUri> {
        if host.is_empty() {
            return None;
        }
        let mut address: AMQPUri =
            format!("{}://{}{host}{}", self.scheme, self.user, self.rest).parse().ok()?;
        address.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Some(address)
    }
}

fn tls(ca_file: Option<&Path>) -> Result<OwnedTLSConfig, QueueError> {
    let Some(path) = ca_file else { return Ok(OwnedTLSConfig::default()) };
    let unreadable = |error: std::io::Error| QueueError::Unusable {
        advice: format!(
            "queue.ca_file {} cannot be read ({error}); it holds certificates in PEM",
            path.display()
        ),
    };
    let authorities = std::fs::read_to_string(path).map_err(unreadable)?;
    Ok(OwnedTLSConfig { identity: None, cert_chain: Some(authorities) })
}

fn malformed() -> QueueError {
    let advice = "queue.url is not of the form amqp://user:password@host,host:port/vhost; \
                  marks in user and password are written as %2F";
    QueueError::Unusable { advice: advice.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_share_user_and_vhost() {
        let brokers = Brokers::parse("amqp://guidang:s%2Fx@one,two:5673/archive?heartbeat=30", None).unwrap();

        assert_eq!(brokers.names(), "one:5672, two:5673");
        for address in &brokers.addresses {
            assert_eq!((address.vhost.as_str(), address.query.heartbeat), ("archive", Some(30)));
            assert_eq!(address.authority.userinfo.password, "s/x");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_quoting_it() {
        for url in ["amqp:", "amqp://", "amqp://user:s3cret@one,,two/", "amqp://user:s3cret@host:port/"] {
            let error = Brokers::parse(url, None).err().map(|error| error.to_string()).unwrap_or_default();

            assert!(error.contains("queue.url") && !error.contains("s3cret"), "{url}: {error}");
        }
    }

    #[test]
    fn authorities_without_encryption_are_a_mistake() {
        assert!(Brokers::parse("amqp://host", Some(Path::new("/etc/ca.pem"))).is_err());
    }
}
