/** Operators that get one thing wrong between resources, to see that it is found. */
import type { Engine } from '../../visit.ts';
import { ENGINE } from './world.ts';

type Settings = Partial<Parameters<Engine['apply']>[2]>;

export const BROKEN_BETWEEN_RESOURCES: Readonly<Record<string, Engine>> = {
  'keeps nothing for others': withSettings(() => ({ keep: () => false })),
  'keeps everything, wanted or not': withSettings(() => ({ keep: () => true })),
  'keeps one kind for nobody': withSettings(({ keep }) => ({
    keep: (ref) => ref.kind === 'ServiceAccount' || keep?.(ref) === true,
  })),
  'prunes nothing': {
    ...ENGINE,
    apply: async (deps, plan, settings) => ENGINE.apply(deps, plan, { ...settings, inventory: [] }),
  },
};

/** An engine that is given other settings than it should. */
function withSettings(change: (settings: Pick<Settings, 'keep'>) => Pick<Settings, 'keep'>): Engine {
  return {
    ...ENGINE,
    apply: async (deps, plan, settings) => ENGINE.apply(deps, plan, { ...settings, ...change(settings) }),
    delete: async (deps, settings) => ENGINE.delete(deps, { ...settings, ...change(settings) }),
  };
}
