//! Many cameras as one stream.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::SelectAll;
use futures::task::AtomicWaker;
use vigie::govern;
use vigie::rtsp::{Credentials, Url};

use crate::camera::Camera;
use crate::event::Event;
use crate::governed::Governor;
use crate::options::Options;

pub use vigie::govern::SourceId;

/// Many [`Camera`]s, dialled by one plan: a [`Stream`] of what they yield, each event with its source.
///
/// Only cameras that have something to say are polled, so that thousands of silent ones cost nothing. The fleet is
/// one task; cameras in tasks of their own share a plan by [`Options::governor`].
///
/// ```no_run
/// # async fn example(list: Vec<String>) -> Result<(), vigie::rtsp::Error> {
/// use futures::StreamExt as _;
/// use vigie_net::{Event, Fleet, Options};
///
/// let mut fleet = Fleet::new(vigie::govern::Config::default());
/// for text in &list {
///     let (url, credentials) = vigie::rtsp::Url::parse(text)?;
///     fleet.add(url, Options::new(credentials));
/// }
/// while let Some((source, event)) = fleet.next().await {
///     if let Event::Disconnected { error, .. } = event {
///         println!("{source:?}: {error}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Fleet {
    governor: Governor,
    members: SelectAll<Member>,
}

/// One camera, and whether it was told to stop.
#[derive(Debug)]
struct Member {
    id: SourceId,
    camera: Camera,
    orders: Arc<Orders>,
    stopping: bool,
}

#[derive(Debug, Default)]
struct Orders {
    stop: AtomicBool,
    waker: AtomicWaker,
}

impl Fleet {
    /// Without cameras. To be made within a tokio runtime.
    #[must_use]
    pub fn new(config: govern::Config) -> Self {
        Self { governor: Governor::new(config), members: SelectAll::new() }
    }

    /// The plan.
    #[must_use]
    pub const fn governor(&self) -> &Governor {
        &self.governor
    }

    /// Takes a camera in; its options' governor is the fleet's. `None` where the plan has no room for it.
    pub fn add(&mut self, url: Url, mut options: Options) -> Option<SourceId> {
        options.governor = Some(self.governor.clone());
        let mut camera = Camera::connect(url, options);
        let id = camera.register()?;
        self.members.push(Member { id, camera, orders: Arc::default(), stopping: false });
        Some(id)
    }

    /// Ends a camera's session in order; what still arrives is yielded, for a second at most. False where there is no
    /// such camera.
    pub fn stop(&mut self, id: SourceId) -> bool {
        let member = self.members.iter().find(|member| member.id == id);
        if let Some(member) = member {
            member.orders.stop.store(true, Ordering::Release);
            member.orders.waker.wake();
        }
        member.is_some()
    }

    /// Gives a camera other credentials: [`Camera::set_credentials`]. False where there is no such camera.
    pub fn set_credentials(&mut self, id: SourceId, credentials: Option<Credentials>) -> bool {
        let member = self.members.iter_mut().find(|member| member.id == id);
        member.is_some_and(|member| {
            member.camera.set_credentials(credentials);
            member.orders.waker.wake();
            true
        })
    }

    /// Ends all sessions in order: poll on to the end of the stream.
    pub fn stop_all(&mut self) {
        for member in self.members.iter() {
            member.orders.stop.store(true, Ordering::Release);
            member.orders.waker.wake();
        }
    }

    /// The cameras, in no order.
    pub fn cameras(&self) -> impl Iterator<Item = (SourceId, &Camera)> {
        self.members.iter().map(|member| (member.id, &member.camera))
    }

    /// How many cameras there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl Stream for Fleet {
    type Item = (SourceId, Event);

    /// `None` where there is no camera, or no more.
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.members).poll_next(cx)
    }
}

impl Stream for Member {
    type Item = (SourceId, Event);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.orders.waker.register(cx.waker());
        if !self.stopping && self.orders.stop.load(Ordering::Acquire) {
            self.stopping = true;
            self.camera.stop();
        }
        let id = self.id;
        Pin::new(&mut self.camera).poll_next(cx).map(|event| event.map(|event| (id, event)))
    }
}
