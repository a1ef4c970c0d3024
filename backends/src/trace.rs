//! The trace that a piece of work belongs to, as it travels from a request to a job and from there to the next one: a
//! W3C `traceparent`, ids and nothing else. Where nothing is traced every call here does nothing.

use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector},
    trace::TraceContextExt,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Target of the spans that a collector is told of. No other span, and no line of the log, ever leaves this way.
pub const TARGET: &str = "guidang::trace";
/// Header, in a request, of the trace that its sender belongs to.
pub const HEADER: &str = "traceparent";

/// Two letters of version, 32 of the trace, 16 of the span, two of flags, with hyphens between.
const LENGTH: usize = 55;

/// The place in a trace after which something follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// The span in which this code runs; `None` where nothing is traced.
    pub fn current() -> Option<Self> {
        let mut carrier = Carrier(None);
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&Span::current().context(), &mut carrier);
        });
        carrier.0.map(Self)
    }

    /// What a sender or a row says; `None` for what cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte == b'-' || byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        (text.len() == LENGTH && text.bytes().all(fits)).then(|| Self(text.to_owned()))
    }

    /// As it is written in a header and in a row.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lets a span follow. It must not have been entered yet.
    pub fn lead(&self, span: &Span) {
        // That it cannot be done means that the span is not traced.
        let _ = span.set_parent(self.context());
    }

    /// Notes at the span in which this code runs that it asked for work which belongs to this other trace already.
    pub fn link(&self) {
        Span::current().add_link(self.context().span().span_context().clone());
    }

    fn context(&self) -> Context {
        let carrier = Carrier(Some(self.0.clone()));
        // Nothing is taken from the span in which this code runs.
        global::get_text_map_propagator(|propagator| {
            propagator.extract_with_context(&Context::new(), &carrier)
        })
    }
}

/// Carries one header. What vendors add in others may say anything, and stays behind.
struct Carrier(Option<String>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        if key == HEADER {
            self.0 = Some(value);
        }
    }
}

impl Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == HEADER)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|_| HEADER).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_place_in_a_trace_is_taken() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

        assert_eq!(TraceParent::parse(good).map(|parent| parent.as_str().to_owned()).as_deref(), Some(good));
        for bad in ["", "00-4bf92f35-00f067aa-01", &good.to_uppercase(), &good.replace('-', "张"), &good[1..]]
        {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn without_a_tracer_there_is_nothing_to_follow() {
        assert_eq!(TraceParent::current(), None);
    }
}
