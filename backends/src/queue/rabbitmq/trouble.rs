//! What the broker says, in words that say what to do.

use lapin::{
    Error, ErrorKind,
    protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError},
    uri::AMQPUri,
};

use super::address::name_of;
use crate::queue::QueueError;

/// Nothing goes now; later it may.
pub(super) fn unavailable(reason: String) -> QueueError {
    QueueError::Unavailable { reason }
}

/// Why a host cannot be used.
pub(super) fn explain(error: &Error, address: &AMQPUri) -> QueueError {
    let host = name_of(address);
    let ErrorKind::ProtocolError(said) = error.kind() else {
        return explain_io(error, &host);
    };
    let advice = match said.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => format!(
            "{host} refuses user, password or what they may do; correct queue.url, and give the user the rights to \
             configure, write and read guidang.*"
        ),
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => format!(
            "{host} does not let this user into virtual host {:?}; make it with `rabbitmqctl add_vhost`, or correct \
             queue.url",
            address.vhost
        ),
        // A release that knows quorum queues and was not told to have them.
        AMQPErrorKind::Hard(AMQPHardError::INTERNALERROR)
            if is_about_features(said.get_message().as_str()) =>
        {
            format!(
                "{host} knows quorum queues but is not allowed to have them; run `rabbitmqctl enable_feature_flag \
                 quorum_queue` and `rabbitmqctl enable_feature_flag stream_queue` there, or `rabbitmqctl \
                 enable_feature_flag all`; it says: {}",
                said.get_message()
            )
        }
        AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => format!(
            "{host} cannot have the queues that are needed: it must be RabbitMQ 3.10 or newer with quorum queues \
             (feature flags quorum_queue and stream_queue), and queues named guidang.* must not have been made by hand; \
             it says: {}",
            said.get_message()
        ),
        _ => return unavailable(format!("{host} says: {}", said.get_message())),
    };
    QueueError::Unusable { advice }
}

fn is_about_features(said: &str) -> bool {
    said.contains("feature flag")
}

fn explain_io(error: &Error, host: &str) -> QueueError {
    let said = error.to_string();
    // The TLS library's own error is out of reach behind two others; its sentence is not.
    if said.contains("certificate") {
        let advice = format!(
            "{host} is not whom its certificate names, or nobody known vouches for it ({said}); name \
             the authority in queue.ca_file"
        );
        return QueueError::Unusable { advice };
    }
    unavailable(format!("{host} cannot be reached: {said}; start RabbitMQ there, or correct queue.url"))
}
