/** What the operator's process holds after a collection of all that is not held. */
export interface VitalSigns {
  /** Of the heap of the main thread, and what is outside of it but belongs to objects in it. */
  readonly heldMib: number;
  /** Of the whole process, with what the collector keeps in reserve. */
  readonly residentMib: number;
  readonly sockets: number;
  /** Those that keep the process alive. */
  readonly timers: number;
  /** Of event targets, such as signals, and of the process. */
  readonly listeners: number;
  /** Objects of this class that are held; a signal that is left behind may hold a whole piece of work. */
  readonly signals: number;
  readonly emitters: number;
  /** Of the event loop, the 99th percentile since the last look. */
  readonly loopLateMs: number;
}
