//! A WebSocket to a centre.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest as _};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Centre;

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects as the page does, with these header fields instead of or besides its own.
    pub async fn with(centre: &Centre, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{}/rtsp", centre.host()).into_client_request().unwrap();
        let origin = format!("http://{}", centre.host());
        let own = [("sec-websocket-protocol", "rtsp.onvif.org"), ("origin", &origin)];
        for (name, value) in own.iter().chain(headers) {
            if value.is_empty() {
                request.headers_mut().remove(*name);
            } else {
                request.headers_mut().insert(*name, value.parse().unwrap());
            }
        }
        match connect_async(request).await {
            Ok((socket, answer)) => {
                assert_eq!(answer.headers()["sec-websocket-protocol"], "rtsp.onvif.org");
                Ok(Self(socket))
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn new(centre: &Centre) -> Self {
        Self::with(centre, &[]).await.unwrap()
    }

    pub async fn send(&mut self, bytes: impl Into<bytes::Bytes>) {
        // The other side may have hung up already: what it said before is still read.
        let _ = self.0.send(Message::Binary(bytes.into())).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        let _ = self.0.send(Message::text(text)).await;
    }

    /// The next bytes; `None` once the other side has closed.
    pub async fn receive(&mut self) -> Option<bytes::Bytes> {
        loop {
            let message =
                timeout(Duration::from_secs(20), self.0.next()).await.expect("something within 20 s");
            match message {
                Some(Ok(Message::Binary(bytes))) => return Some(bytes),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(other)) => panic!("{other:?}"),
            }
        }
    }

    /// Says that it goes. True: the other side answered that, as RFC 6455 §5.5.1 has it, before it hung up.
    #[allow(dead_code)]
    pub async fn close(mut self) -> bool {
        self.0.send(Message::Close(None)).await.unwrap();
        loop {
            match timeout(Duration::from_secs(20), self.0.next()).await.expect("an end within 20 s") {
                Some(Ok(Message::Close(_))) => return true,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            }
        }
    }

    /// Everything until the other side closes.
    pub async fn rest(&mut self) -> String {
        let mut text = String::new();
        while let Some(bytes) = self.receive().await {
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        text
    }
}
