//! Sockets against ports where nobody, or no WebSocket server, listens. Frames over a real backend are the
//! end-to-end suite's.

use chatwire::proto::{ConnId, Input, Secret, SocketInput, SocketOutput};
use chatwire::web::socket::Sockets;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Said, js, sink};

fn open(conn: ConnId, url: &str) -> SocketOutput {
    SocketOutput::Open { conn, url: Secret(url.to_owned()), protocols: Vec::new() }
}

/// The test page's own server: it answers, but not as a WebSocket.
fn no_websocket_here() -> String {
    js("location.origin.replace('http', 'ws') + '/nothing'").as_string().unwrap()
}

async fn closed(said: &mut Said) -> (ConnId, u16, String) {
    match said.next().await {
        Input::Socket(SocketInput::Closed { conn, code, reason }) => (conn, code, reason),
        other => panic!("no Closed: {other:?}"),
    }
}

#[wasm_bindgen_test]
async fn a_refused_connect_is_one_closed() {
    let (sink, mut said) = sink();
    let sockets = Sockets::new(sink);
    sockets.execute(open(7, &no_websocket_here()));
    let (conn, code, _) = closed(&mut said).await;
    assert_eq!((conn, code), (7, 1006));
    assert!(said.rest(100).await.is_empty());
}

#[wasm_bindgen_test]
async fn a_url_that_is_none_is_one_closed_and_its_text_is_not_repeated() {
    let (sink, mut said) = sink();
    let sockets = Sockets::new(sink);
    sockets.execute(open(1, "ws://[secret-token"));
    let (conn, code, reason) = closed(&mut said).await;
    assert_eq!((conn, code, reason.as_str()), (1, 1006, "SyntaxError"));
    assert!(said.rest(50).await.is_empty());
}

#[wasm_bindgen_test]
async fn protocols_that_a_browser_refuses_are_one_closed() {
    let (sink, mut said) = sink();
    let sockets = Sockets::new(sink);
    let twice = vec![Secret("same".into()), Secret("same".into())];
    let url = Secret(no_websocket_here());
    sockets.execute(SocketOutput::Open { conn: 2, url, protocols: twice });
    assert_eq!(closed(&mut said).await, (2, 1006, "SyntaxError".to_owned()));
}

#[wasm_bindgen_test]
async fn closing_is_told_at_once_and_once_with_a_code_that_browsers_allow() {
    let (sink, mut said) = sink();
    let sockets = Sockets::new(sink);
    for (conn, code, told) in [(1, 1000, 1000), (2, 1011, 4011), (3, 4123, 4123), (4, 1, 1000)] {
        sockets.execute(open(conn, &no_websocket_here()));
        let reason = "ü".repeat(100);
        sockets.execute(SocketOutput::Close { conn, code, reason });
        assert_eq!(closed(&mut said).await, (conn, told, "ü".repeat(61)));
    }
    assert!(said.rest(200).await.is_empty(), "the browser's own close event is not told again");
}

#[wasm_bindgen_test]
async fn what_concerns_a_socket_that_is_gone_is_ignored() {
    let (sink, mut said) = sink();
    let sockets = Sockets::new(sink);
    sockets.execute(SocketOutput::Text { conn: 9, text: "x".into() });
    sockets.execute(SocketOutput::WatchDrain { conn: 9 });
    sockets.execute(SocketOutput::Close { conn: 9, code: 1000, reason: String::new() });
    sockets.execute(open(10, &no_websocket_here()));
    // Not open yet: a browser would throw.
    sockets.execute(SocketOutput::Binary { conn: 10, bytes: vec![1] });
    sockets.close_all();
    assert_eq!(closed(&mut said).await.0, 10);
    assert!(said.rest(100).await.is_empty());
}
