import { HealthctlError, messageOf } from '../../lib/errors.ts';
import type { World } from '../../world.ts';
import type { CommandResult } from '../command.ts';
import { act } from './actions.ts';
import { readDetails } from './details.ts';
import { type Appearance, draw } from './draw.ts';
import { listenToKeys } from './key-reader.ts';
import type { Looker } from './look.ts';
import type { Look } from './model.ts';
import { openScreen, type Screen } from './screen.ts';
import { initialState, measuredRows, type ScreenState, type Sort } from './state.ts';
import type { TopLog } from './top-log.ts';
import { type Effect, type Input, update } from './update.ts';
import { UsageMeter } from './usage.ts';

export interface SessionOptions {
  readonly looker: Looker;
  /** The first look: its errors are printed as those of other commands. */
  readonly first: Look;
  readonly appearance: Appearance;
  readonly sort: Sort;
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly everyMs: number;
  /** The log of the world and of the looker. */
  readonly log: TopLog;
}

/** Shows the screen until the user quits, or a signal ends it. The terminal is restored on every way out. */
export async function runSession(world: World, options: SessionOptions): Promise<CommandResult> {
  const screen = openScreen(world.streams);
  const forgetFailure = world.onFailure(() => screen.leave());
  const session = new Session(world, screen, options);
  try {
    const exitCode = await session.run();
    if (world.signal.aborted) throw new HealthctlError('ABORTED', 'interrupted'); // main.ts knows the signal's status
    return { exitCode };
  } finally {
    screen.leave();
    forgetFailure();
  }
}

/** Ages on the screen change every second. */
const TICK_MS = 1_000;
/** By now a process that gets SIGTSTP has stopped, unless nothing could continue it: then the kernel ignores the signal. */
const STOP_MS = 50;

/** One state; everything that happens goes through `#take`. */
class Session {
  readonly #world: World;
  readonly #screen: Screen;
  readonly #options: SessionOptions;
  readonly #meter: UsageMeter;
  readonly #quit = new AbortController();
  readonly #signal: AbortSignal;
  #state: ScreenState;
  #exitCode = 0;
  /** Ends the wait for the next look. */
  #wake = new AbortController();
  #endSuspend: () => void = () => {};
  #isSuspending = false;

  constructor(world: World, screen: Screen, options: SessionOptions) {
    const { first: look, namespace, sort } = options;
    this.#signal = AbortSignal.any([world.signal, this.#quit.signal]);
    this.#world = { ...world, log: options.log, signal: this.#signal };
    this.#screen = screen;
    this.#options = options;
    this.#meter = new UsageMeter(world.clock);
    this.#state = initialState({ look, nowMs: world.clock.now(), namespace, sort });
  }

  /** @returns the exit status, unless a signal ended it */
  async run(): Promise<number> {
    const { clock, streams } = this.#world;
    const restoreLog = this.#options.log.redirect((text) => this.#take({ kind: 'note', text, isBad: true }));
    const onResize = (): void => {
      this.#screen.forget(); // the terminal has moved what was on it
      this.#take({ kind: 'tick' });
    };
    this.#screen.enter();
    this.#listenForStops();
    streams.stdout.on('resize', onResize);
    const endKeys = listenToKeys(streams.stdin, {
      clock,
      onKey: (key) => this.#take({ kind: 'key', key }),
      onEnd: () => this.#quit.abort(),
    });
    this.#take({ kind: 'tick' });
    try {
      await Promise.all([this.#looks(), this.#ticks()]);
    } finally {
      this.#quit.abort();
      streams.stdout.off('resize', onResize);
      endKeys();
      this.#endSuspend();
      restoreLog();
    }
    return this.#exitCode;
  }

  #take(input: Input): void {
    if (this.#signal.aborted) return;
    this.#apply(input);
    if (input.kind === 'look' || input.kind === 'key') this.#apply({ kind: 'usage', usage: this.#measured() });
    this.#draw();
  }

  #apply(input: Input): void {
    const { state, effects } = update(this.#state, input, { size: this.#screen.size, nowMs: this.#world.clock.now() });
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #draw(): void {
    if (this.#signal.aborted) return;
    this.#screen.show(draw(this.#state, this.#screen.size, this.#options.appearance));
  }

  #measured() {
    return this.#meter.measure(measuredRows(this.#state, this.#screen.size));
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'quit':
        this.#exitCode = effect.exitCode;
        this.#quit.abort();
        break;
      case 'suspend':
        void this.#suspend(0);
        break;
      case 'redraw':
        this.#screen.forget();
        break;
      case 'look':
        this.#wake.abort();
        break;
      case 'open':
        void this.#open(effect.key);
        break;
      case 'act':
        void this.#act(effect);
        break;
    }
  }

  async #looks(): Promise<void> {
    for (;;) {
      this.#wake = new AbortController();
      await this.#world.clock.sleep(this.#options.everyMs, AbortSignal.any([this.#signal, this.#wake.signal]));
      if (this.#signal.aborted) return;
      try {
        this.#take({ kind: 'look', look: await this.#options.looker.look(this.#signal) });
      } catch (error) {
        this.#take({ kind: 'failed', text: messageOf(error) });
      }
    }
  }

  async #ticks(): Promise<void> {
    while (!this.#signal.aborted) {
      await this.#world.clock.sleep(TICK_MS, this.#signal);
      this.#take({ kind: 'tick' });
    }
  }

  async #open(key: string): Promise<void> {
    const row = this.#state.rows.find((each) => each.key === key);
    if (!row) return;
    try {
      this.#take({ kind: 'details', details: await readDetails(this.#world, row, this.#options.looker.past) });
    } catch (error) {
      this.#take({ kind: 'note', text: messageOf(error), isBad: true });
    }
  }

  async #act({ action, key, name }: Extract<Effect, { kind: 'act' }>): Promise<void> {
    const row = this.#state.rows.find((each) => each.key === key);
    try {
      const text = row ? await act(this.#world, action, row) : 'the container is gone';
      this.#take({ kind: 'acted', name, text, isBad: row === undefined });
    } catch (error) {
      this.#take({ kind: 'acted', name, text: `${name}: ${messageOf(error)}`, isBad: true });
    }
  }

  #listenForStops(): void {
    this.#endSuspend = this.#world.onSuspend((name) => {
      if (name === 'SIGTSTP') return void this.#suspend(process.pid);
      // It was stopped by SIGSTOP: another program may have used the terminal.
      this.#screen.enter();
      this.#take({ kind: 'tick' });
    });
  }

  /** Gives the terminal back, and stops; once, also if it was asked for twice. @param pid 0: the whole job, as Ctrl-Z does elsewhere */
  async #suspend(pid: number): Promise<void> {
    if (this.#isSuspending) return;
    this.#isSuspending = true;
    this.#screen.leave();
    this.#endSuspend();
    process.kill(pid, 'SIGTSTP');
    await this.#world.clock.sleep(STOP_MS);
    this.#isSuspending = false;
    if (this.#signal.aborted) return;
    this.#listenForStops();
    this.#screen.enter();
    this.#take({ kind: 'tick' });
  }
}
