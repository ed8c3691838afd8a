//! The clocks and `setTimeout`, in a window and in a worker alike.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use wasm_bindgen::prelude::*;

use crate::proto::Now;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn FnMut()>, delay_ms: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

/// Both clocks. The monotonic one is rounded down, so that a delay computed from it is never too short.
pub fn now() -> Now {
    Now { mono_ms: performance_now() as u64, wall_ms: date_now() as u64 }
}

/// Longer delays than this overflow in browsers and fire at once (rule 12).
const MAX_DELAY_MS: u64 = i32::MAX as u64;

fn clamped(delay_ms: u64) -> i32 {
    delay_ms.min(MAX_DELAY_MS) as i32
}

/// The one timer of a driver. Early wake-ups are harmless there, so it is only ever moved forward: a deadline that
/// moves back with each frame costs no call into JavaScript.
pub struct Alarm {
    callback: Closure<dyn FnMut()>,
    /// The deadline in monotonic milliseconds, and the browser's name for the timer.
    armed: Rc<RefCell<Option<(u64, JsValue)>>>,
}

impl Alarm {
    pub fn new(mut fire: impl FnMut() + 'static) -> Self {
        let armed = Rc::new(RefCell::new(None));
        let slot = armed.clone();
        let callback = Closure::new(move || {
            slot.replace(None);
            fire();
        });
        Self { callback, armed }
    }

    /// Makes sure of a wake-up at `at_mono_ms` or before.
    pub fn wake_by(&self, at_mono_ms: u64) {
        let mut armed = self.armed.borrow_mut();
        if let Some((earlier, id)) = armed.as_ref() {
            if *earlier <= at_mono_ms {
                return;
            }
            clear_timeout(id);
        }
        let id = set_timeout(&self.callback, clamped(at_mono_ms.saturating_sub(now().mono_ms)));
        *armed = Some((at_mono_ms, id));
    }

    pub fn clear(&self) {
        if let Some((_, id)) = self.armed.borrow_mut().take() {
            clear_timeout(&id);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A future that is ready after a time; dropped before, it leaves no timer behind.
pub struct Delay {
    id: JsValue,
    elapsed: oneshot::Receiver<()>,
    _callback: Closure<dyn FnMut()>,
}

impl Delay {
    pub fn new(delay_ms: u32) -> Self {
        let (sender, elapsed) = oneshot::channel();
        let mut sender = Some(sender);
        let callback = Closure::new(move || {
            if let Some(sender) = sender.take() {
                // The receiver is gone only when the delay was dropped, and then nobody waits.
                let _ = sender.send(());
            }
        });
        let id = set_timeout(&callback, clamped(delay_ms.into()));
        Self { id, elapsed, _callback: callback }
    }
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.elapsed).poll(context).map(|_| ())
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}
