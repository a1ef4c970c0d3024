//! Traces: the spans of requests and jobs, told to an OpenTelemetry collector by OTLP over HTTP.
//!
//! Spans wait in a bounded queue and are sent by a thread of their own, so that a collector that is slow or away costs
//! spans and nothing else.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use backends::{blob_store::choose_tls, trace::TARGET};
use opentelemetry::{KeyValue, global, trace::TracerProvider};
use opentelemetry_otlp::{Protocol, RetryPolicy, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter,
    },
};
use tracing::Metadata;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    Registry,
    filter::{FilterFn, Filtered, filter_fn},
    layer::Layer,
};

use crate::{
    configuration::TelemetrySection,
    failure::{Failure, OrFail},
};

/// Spans that wait to be sent; what comes when so many wait is dropped.
const MOST_WAITING: usize = 4096;
/// Spans sent at once.
const MOST_AT_ONCE: usize = 512;
/// How long a span waits for others to be sent with.
const SEND_EVERY: Duration = Duration::from_secs(2);
/// How long the collector may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How long the last spans may take when the program ends.
const LAST_WITHIN: Duration = Duration::from_secs(4);

/// What hands spans over to the sender.
pub type SpanLayer = Filtered<OpenTelemetryLayer<Registry, SdkTracer>, FilterFn, Registry>;

/// The running sender.
pub struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// Starts sending, if a collector is named. Must not be called within the asynchronous runtime.
    pub fn start(section: &TelemetrySection) -> Result<Option<Self>, Failure> {
        let Some(address) = section.traces_address() else { return Ok(None) };
        choose_tls();
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address)
            .with_timeout(ANSWER_WITHIN)
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .or_fail("telemetry.endpoint cannot be used")?;
        let exporter = Patient { exporter, is_away: AtomicBool::new(false) };
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(MOST_WAITING)
            .with_max_export_batch_size(MOST_AT_ONCE)
            .with_scheduled_delay(SEND_EVERY)
            .build();
        let share = Sampler::TraceIdRatioBased(1.0 / f64::from(section.one_in.max(1)));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            // Whoever began the trace has decided for all of it.
            .with_sampler(Sampler::ParentBased(Box::new(share)))
            .with_resource(resource(section))
            .build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Some(Self { provider }))
    }

    /// The layer that takes the spans of requests and jobs, without lines of the log, source files or threads.
    pub fn layer(&self) -> SpanLayer {
        let layer = tracing_opentelemetry::layer()
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_tracer(self.provider.tracer("guidang"));
        let is_ours: fn(&Metadata<'_>) -> bool = |metadata| metadata.is_span() && metadata.target() == TARGET;
        layer.with_filter(filter_fn(is_ours))
    }

    /// Sends what waits, for a moment at most.
    pub fn stop(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST_WITHIN) {
            tracing::warn!(%error, "the last spans did not reach the collector");
        }
    }
}

fn resource(section: &TelemetrySection) -> Resource {
    Resource::builder()
        .with_service_name(section.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("process.pid", i64::from(std::process::id())))
        .build()
}

/// Says once that the collector is away, and once that it is back; every batch meanwhile is dropped in silence.
#[derive(Debug)]
struct Patient {
    exporter: opentelemetry_otlp::SpanExporter,
    is_away: AtomicBool,
}

impl SpanExporter for Patient {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        match self.exporter.export(batch).await {
            Ok(()) if self.is_away.swap(false, Ordering::Relaxed) => {
                tracing::info!("the collector takes spans again");
            }
            Err(error) if !self.is_away.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, spans, "the collector takes no spans; they are dropped until it does");
            }
            Ok(()) | Err(_) => {}
        }
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
