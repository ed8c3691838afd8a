// jsdom lays nothing out. What is virtualised needs sizes: a screen of 600 pixels, rows of 60.
import { afterEach, beforeEach, vi } from "vitest";

class Observer implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", Observer);
  const sizes = { offsetHeight: [60, 600], offsetWidth: [400, 400], clientHeight: [60, 600] } as const;
  for (const [name, [row, screen]] of Object.entries(sizes)) {
    vi.spyOn(HTMLElement.prototype, name as "offsetHeight", "get").mockImplementation(function (
      this: HTMLElement,
    ) {
      return this.tagName === "LI" ? row : screen;
    });
  }
  HTMLElement.prototype.scrollTo = function (options) {
    if (typeof options === "object") this.scrollTop = options.top ?? this.scrollTop;
  };
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});
