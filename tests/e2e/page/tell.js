// What happens in this page, kept in order, and told to the test at once where it listens: the binding `report` is
// flushed as it is called, so what it has told survives the end of the browser.
export const facts = [];

export function tell(fact) {
  const whole = { ...fact, at: performance.timeOrigin + performance.now() };
  facts.push(whole);
  globalThis.report?.(JSON.stringify(whole));
}
