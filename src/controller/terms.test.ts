import { expect } from 'chai';
import type { Controller } from './controller.ts';
import type { Term } from './terms.ts';
import { Terms } from './terms.ts';
import { settled } from './testing/fake-clock.ts';

/** A controller that notes when it works. */
function controller(log: string[], name: string): Controller {
  return {
    ready: () => log.includes(`${name} synced`),
    warmUp: () => void log.push(`${name} watches`),
    run: async (signal) => {
      if (signal.aborted) return void log.push(`${name} stops`);
      log.push(`${name} works`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      log.push(`${name} ends`);
    },
  };
}

class World {
  readonly log: string[] = [];
  readonly stop = new AbortController();
  /** Ends the present term, as the loss of the lease would. */
  lose = (): void => undefined;
  grant = (): void => undefined;
  /** Of every term. */
  trouble: string | undefined;
  /** Of each controller, in order. */
  readonly termOf: (() => Term | undefined)[] = [];
  readonly terms = new Terms<Term>({
    acquire: async (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve(undefined));
        this.grant = () => resolve(this.#newTerm());
      }),
    nextController: (term) => {
      this.termOf.push(term);
      return controller(this.log, `controller ${this.termOf.length}`);
    },
    leading: (isLeader) => void this.log.push(isLeader ? 'leads' : 'follows'),
  });

  #newTerm(): Term {
    const ended = new AbortController();
    this.lose = () => ended.abort();
    return {
      ended: ended.signal,
      problem: () => this.trouble,
      release: async () => void this.log.push('released'),
    };
  }
}

describe('Terms', () => {
  it('gives the lead back only after its controller has ended', async () => {
    const world = new World();
    const running = world.terms.run(world.stop.signal);
    world.grant();
    await settled();

    world.stop.abort();
    await running;

    expect(world.log).to.deep.equal([
      'controller 1 watches',
      'leads',
      'controller 1 works',
      'controller 1 ends',
      'follows',
      'released',
    ]);
  });

  it('lets a controller write in its own term only', async () => {
    const world = new World();
    const running = world.terms.run(world.stop.signal);
    await settled();
    const before = world.termOf.map((term) => term()?.ended.aborted);
    world.grant();
    await settled();
    world.lose();
    await settled();
    world.grant();
    await settled();
    const after = world.termOf.map((term) => term()?.ended.aborted);
    world.stop.abort();
    await running;

    expect([before, after]).to.deep.equal([[undefined], [true, false]]);
  });

  it('begins with a new controller when it may lead again', async () => {
    const world = new World();
    const running = world.terms.run(world.stop.signal);
    world.grant();
    await settled();
    world.lose();
    await settled();
    world.grant();
    await settled();
    world.stop.abort();
    await running;

    expect(world.log.filter((line) => line.endsWith('works'))).to.deep.equal([
      'controller 1 works',
      'controller 2 works',
    ]);
  });

  it('has nothing to complain of before it has begun', () => {
    expect(new World().terms.problem()).to.equal(undefined);
  });

  it('ends while it waits for the lead, and stops watching', async () => {
    const world = new World();
    const running = world.terms.run(world.stop.signal);
    await settled();

    world.stop.abort();
    await running;

    expect(world.log).to.deep.equal(['controller 1 watches', 'controller 1 stops']);
  });

  it('is in order once its watches are synced, be it before its term or in it', async () => {
    const world = new World();
    const running = world.terms.run(world.stop.signal);
    await settled();
    const problems = [world.terms.problem()];
    world.log.push('controller 1 synced');
    problems.push(world.terms.problem());
    world.grant();
    await settled();
    problems.push(world.terms.problem());
    world.lose();
    await settled();
    problems.push(world.terms.problem());
    world.stop.abort();
    await running;

    const notSynced = 'the watches are not synced yet';
    expect(problems).to.deep.equal([notSynced, undefined, undefined, notSynced]);
  });

  it('asks to be started anew for what is wrong with its term, and for nothing once that is over', async () => {
    const world = new World();
    const running = world.terms.run(world.stop.signal);
    const wedged: (string | undefined)[] = [];
    const note = async (): Promise<void> => {
      await settled();
      wedged.push(world.terms.wedged());
    };
    world.trouble = 'overdue';
    await note();
    world.grant();
    await note();
    world.lose();
    await note();
    world.stop.abort();
    await running;

    expect(wedged).to.deep.equal([undefined, 'overdue', undefined]);
  });
});
