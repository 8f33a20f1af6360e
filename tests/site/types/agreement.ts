// The declarations against the JSDoc types of the engine itself: nothing declared is otherwise, nothing is left out.
import * as real from '../../../site/engine/index.js';
import type * as declared from '../../../site/engine/types/index.d.ts';

type Declared = Pick<typeof declared, keyof typeof declared>;
type RealModel = Awaited<ReturnType<typeof real.load>>;
type Undeclared =
  | Exclude<keyof typeof real, keyof Declared>
  | Exclude<keyof typeof real.errors, keyof Declared['errors']>
  | Exclude<keyof RealModel, keyof declared.Model>
  | Exclude<keyof RealModel['info'], keyof declared.ModelInfo>
  | Exclude<keyof ReturnType<RealModel['stats']>, keyof declared.Stats>
  | Exclude<keyof Awaited<ReturnType<typeof real.inspect>>, keyof declared.Inspection>
  | Exclude<keyof real.LoadOptions, keyof declared.LoadOptions>
  | Exclude<keyof NonNullable<Parameters<RealModel['generate']>[1]>, keyof declared.GenerateOptions>;

/** A class with private fields is no other class, so a control cannot be declared apart from the engine's own. */
type WithoutControl<F> = F extends (url: infer Url, options?: infer Options) => infer Result
  ? (url: Url, options?: Omit<NonNullable<Options>, 'control'>) => Result : never;

export const most: Omit<Declared, 'load' | 'inspect'> = real;
export const load: WithoutControl<Declared['load']> = real.load;
export const inspect: WithoutControl<Declared['inspect']> = real.inspect;
export const none: [Undeclared] extends [never] ? true : Undeclared = true;
