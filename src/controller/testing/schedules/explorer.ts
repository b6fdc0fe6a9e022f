/** Tries schedules: all of one fault, pairs of core faults without gaps, and longer ones by chance. */
import { refOf } from '../../../model/object.ts';
import type { Request } from './connection.ts';
import { ModelApi } from './model-api.ts';
import type { Snapshot } from './model-api.ts';
import type { Act, Choice, Fault, FaultRow, Schedule } from './schedule.ts';
import { coreFaults, FAULTS, faultsFor, formatSchedule, parseSchedule } from './schedule.ts';
import { BYSTANDERS } from './stations.ts';
import type { Known, Reference, Result, Subject, Way } from './trial.ts';
import { OPERATOR, Trial } from './trial.ts';

/** How much is tried. */
export interface Scope {
  /** At most so many schedules with one fault, by chance where there are more. */
  readonly singles: number;
  /** At most so many pairs of core faults, likewise. */
  readonly pairs: number;
  /** Schedules that chance makes longer and longer. */
  readonly longer: number;
  /** Numbers from 0 to below 1. */
  readonly random: () => number;
  /** No further schedule is tried after so many that fail. */
  readonly mostViolations: number;
}

export interface Violation {
  /** The shortest that was found; `replay` tries it again. */
  readonly schedule: string;
  readonly findings: readonly string[];
}

export interface Exploration {
  /** How many schedules were tried, each another one. */
  readonly tried: number;
  /** The same by their number of faults. */
  readonly byLength: ReadonlyMap<number, number>;
  readonly requests: number;
  /** The first few. */
  readonly violations: readonly Violation[];
}

interface Journey {
  readonly name: string;
  readonly way: Way;
  readonly reference: Reference;
  /** Of the undisturbed way. */
  readonly trace: readonly Request[];
}

/** Where ways begin and how they go undisturbed. */
export interface Model {
  readonly journeys: readonly Journey[];
  /** What did not hold although nothing went wrong. */
  readonly findings: readonly string[];
}

const LONGEST = 6;

/** Goes every way once, undisturbed. */
export async function prepareModel(subject: Subject = OPERATOR): Promise<Model> {
  const empty = emptyCluster();
  const go = async (start: Snapshot, act: Act, reference?: Reference): Promise<Result> =>
    new Trial({ start, act }, [], { subject }).run(reference);
  const full = await go(empty, { kind: 'ask', station: 'full' });
  const lean = await go(empty, { kind: 'ask', station: 'lean' });
  const gone = await go(full.snapshot, { kind: 'remove' });
  const ends = { full: full.end, lean: lean.end, gone: gone.end };
  const ways: Readonly<Record<string, Way>> = {
    install: { start: empty, act: { kind: 'ask', station: 'full' } },
    shrink: { start: full.snapshot, act: { kind: 'ask', station: 'lean' } },
    grow: { start: lean.snapshot, act: { kind: 'ask', station: 'full' } },
    uninstall: { start: full.snapshot, act: { kind: 'remove' } },
  };
  const journeys: Journey[] = [];
  const findings: string[] = [];
  for (const [name, way] of Object.entries(ways)) {
    const { trace, effort, findings: found } = await go(way.start, way.act, { ends });
    journeys.push({ name, way, trace, reference: { ends, effort } });
    findings.push(...found.map((finding) => `${name}: ${finding}`));
  }
  return { journeys, findings };
}

function emptyCluster(): Snapshot {
  const api = new ModelApi(() => undefined);
  for (const object of BYSTANDERS) api.update('user', refOf(object), () => object);
  return api.snapshot();
}

/** Tries one schedule and tells what happened, line by line. */
export async function replay(
  model: Model,
  text: string,
  subject: Subject = OPERATOR,
): Promise<Pick<Result, 'findings' | 'events'>> {
  const { journey, choices } = parseSchedule(text);
  const { way, reference } = journeyIn(model, journey);
  return new Trial(way, choices, { subject, isVerbose: true }).run(reference);
}

function journeyIn({ journeys }: Model, name: string): Journey {
  const journey = journeys.find((each) => each.name === name);
  if (journey === undefined) throw new Error(`there is no journey "${name}"`);
  return journey;
}

/** Tries schedules of the scope until all are tried or enough of them have failed. */
export async function explore(model: Model, scope: Scope, subject: Subject = OPERATOR): Promise<Exploration> {
  const explorer = new Explorer(model, subject, scope);
  await explorer.singles(scope.singles);
  await explorer.corePairs(scope.pairs);
  await explorer.longer(scope.longer);
  return explorer.result();
}

class Explorer {
  readonly #model: Model;
  readonly #subject: Subject;
  readonly #random: () => number;
  readonly #mostViolations: number;
  readonly #tried = new Set<string>();
  readonly #byLength = new Map<number, number>();
  readonly #violations = new Map<string, readonly string[]>();
  readonly #known: Known = { atRest: new Set(), tails: new Map() };
  #requests = 0;

  constructor(model: Model, subject: Subject, { random, mostViolations }: Scope) {
    this.#model = model;
    this.#subject = subject;
    this.#random = random;
    this.#mostViolations = mostViolations;
  }

  result(): Exploration {
    return {
      tried: this.#tried.size,
      byLength: this.#byLength,
      requests: this.#requests,
      violations: [...this.#violations].map(([schedule, findings]) => ({ schedule, findings })),
    };
  }

  async singles(most: number): Promise<void> {
    const all = this.#model.journeys.flatMap((journey) =>
      continuations(journey.trace, [], FAULTS).map((choices) => ({ journey, choices })),
    );
    for (const { journey, choices } of this.#chosen(all, most)) {
      if (this.#isEnough()) return;
      await this.#attempt(journey, choices);
    }
  }

  async corePairs(most: number): Promise<void> {
    if (most === 0) return;
    const pairs: { readonly journey: Journey; readonly choices: readonly Choice[] }[] = [];
    for (const journey of this.#model.journeys) {
      for (const first of continuations(journey.trace, [], coreFaults())) {
        const { trace } = await this.#attempt(journey, first);
        for (const choices of continuations(trace, first, coreFaults())) pairs.push({ journey, choices });
      }
    }
    for (const { journey, choices } of this.#chosen(pairs, most)) {
      if (this.#isEnough()) return;
      await this.#attempt(journey, choices);
    }
  }

  async longer(most: number): Promise<void> {
    const end = this.#tried.size + most;
    while (this.#tried.size < end && !this.#isEnough()) {
      const journey = this.#pick(this.#model.journeys);
      let trace = journey.trace;
      let choices: readonly Choice[] = [];
      while (choices.length < LONGEST) {
        const next = this.#next(trace, choices);
        if (next === undefined) break;
        choices = [...choices, next];
        ({ trace } = await this.#attempt(journey, choices));
      }
    }
  }

  /** One more fault after all others; more often soon after than long after. */
  #next(trace: readonly Request[], choices: readonly Choice[]): Choice | undefined {
    const first = (choices.at(-1)?.at ?? 0) + 1;
    const left = trace.length - first + 1;
    if (left <= 0) return undefined;
    const at = first + Math.floor(left * this.#random() ** 2);
    const request = trace[at - 1];
    return request === undefined ? undefined : { at, fault: this.#pick(faultsFor(request.verb)) };
  }

  async #attempt(journey: Journey, choices: readonly Choice[]): Promise<Result> {
    const result = await this.#run(journey, choices);
    const text = formatSchedule({ journey: journey.name, choices });
    if (!this.#tried.has(text)) {
      this.#tried.add(text);
      this.#byLength.set(choices.length, (this.#byLength.get(choices.length) ?? 0) + 1);
      this.#requests += result.trace.length;
    }
    if (result.findings.length > 0) await this.#report({ journey: journey.name, choices }, result.findings);
    return result;
  }

  /** Leaves out one fault after the other as long as something is found without it. */
  async #report({ journey, choices }: Schedule, findings: readonly string[]): Promise<void> {
    let shortest = { choices, findings };
    for (const choice of choices) {
      const fewer = shortest.choices.filter((other) => other !== choice);
      const result = await this.#run(journeyIn(this.#model, journey), fewer);
      if (result.findings.length > 0) shortest = { choices: fewer, findings: result.findings };
    }
    this.#violations.set(formatSchedule({ journey, choices: shortest.choices }), shortest.findings);
  }

  async #run({ way, reference }: Journey, choices: readonly Choice[]): Promise<Result> {
    return new Trial(way, choices, { subject: this.#subject, known: this.#known }).run(reference);
  }

  #isEnough(): boolean {
    return this.#violations.size >= this.#mostViolations;
  }

  /** That many, or all, in an order that chance gives. */
  #chosen<T>(items: readonly T[], most: number): readonly T[] {
    const drawn = items.map((item) => ({ item, place: this.#random() }));
    return drawn
      .toSorted((left, right) => left.place - right.place)
      .slice(0, most)
      .map(({ item }) => item);
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(items.length * this.#random())];
    if (item === undefined) throw new Error('there is nothing to pick from');
    return item;
  }
}

/** Each fault of these rows at each request after what was chosen already. */
function continuations(
  trace: readonly Request[],
  choices: readonly Choice[],
  rows: readonly FaultRow[],
): readonly (readonly Choice[])[] {
  const last = choices.at(-1)?.at ?? 0;
  return trace.flatMap(({ verb }, index) => {
    const at = index + 1;
    if (at <= last) return [];
    return faultsFor(verb, rows).map((fault: Fault) => [...choices, { at, fault }]);
  });
}
