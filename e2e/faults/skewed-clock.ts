/**
 * Loaded into a process before anything else (`node --import`), it gives the process a wrong clock. The query of its
 * URL says how: `offsetMs` is added to the time of day, and the monotonic clock runs `rate` times as fast as it should.
 */
const query = new URL(import.meta.url).searchParams;
const offsetMs = Number(query.get('offsetMs') ?? 0);
const rate = Number(query.get('rate') ?? 1);

const timeOfDay = Date.now.bind(Date);
const sinceStart = performance.now.bind(performance);

Date.now = () => timeOfDay() + offsetMs;
performance.now = () => sinceStart() * rate;
Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + offsetMs });
