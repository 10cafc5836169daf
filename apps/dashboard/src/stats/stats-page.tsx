/** The page of live metrics: what the service is doing, each figure with its last five minutes. */
import { Code, type LogClient, type WatchStatsResponse } from "@logsvc/client-web";
import { type ReactNode, useId, useState } from "react";
import { StatChart } from "./stat-chart.tsx";
import { type StatsCard, type StatsGroup, statsGroups } from "./stats-cards.ts";
import { historyMs, type StatsHistory, type StatsPoint } from "./stats-history.ts";
import type { WatchState } from "./stats-watch.ts";
import { useStats } from "./use-stats.ts";
import "./stats-page.css";

/** The page. */
export function StatsPage({ client }: { client: LogClient }): ReactNode {
  const { state, history, retry } = useStats(client);
  return (
    <main className="stats-page" aria-label="Live metrics">
      <WatchBanner state={state} known={history.latest !== undefined} onRetry={retry} />
      {history.latest !== undefined && (
        <div className={state.kind === "live" ? "stats-groups" : "stats-groups stats-stale"}>
          <p className="muted">
            Each figure now, and its line over the last {historyMs / 60_000} minutes since this page was
            opened.
          </p>
          {statsGroups.map((group) => (
            <StatsSection key={group.title} group={group} history={history} latest={history.latest} />
          ))}
        </div>
      )}
    </main>
  );
}

interface WatchBannerProps {
  readonly state: WatchState;
  /** Whether there are figures to look at meanwhile. */
  readonly known: boolean;
  onRetry(): void;
}

function WatchBanner({ state, known, onRetry }: WatchBannerProps): ReactNode {
  const text = bannerText(state, known);
  return (
    <div className="stats-banner" role="status" data-state={state.kind} hidden={text === ""}>
      <span>{text}</span>
      {state.kind === "failed" && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

function bannerText(state: WatchState, known: boolean): string {
  switch (state.kind) {
    case "live":
      return "";
    case "connecting":
      return known ? "Disconnected. Connecting…" : "Connecting…";
    case "retrying": {
      const seconds = Math.max(1, Math.round(state.delayMs / 1_000));
      const stale = known ? " The figures below are the last that came." : "";
      return `Disconnected: ${state.error.rawMessage}. Trying again in about ${seconds} s.${stale}`;
    }
    case "failed":
      return state.error.code === Code.Unauthenticated || state.error.code === Code.PermissionDenied
        ? "The server does not show its figures with this token."
        : `The server does not show its figures: ${state.error.rawMessage}`;
    default:
      return state satisfies never;
  }
}

interface StatsSectionProps {
  readonly group: StatsGroup;
  readonly history: StatsHistory;
  readonly latest: WatchStatsResponse | undefined;
}

function StatsSection({ group, history, latest }: StatsSectionProps): ReactNode {
  const id = useId();
  if (latest === undefined) return null;
  const facts = group.facts(latest);
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{group.title}</h2>
      <div className="stats-cards">
        {group.cards.map((card) => (
          <StatsCardView key={card.label} card={card} points={history.points} latest={latest} />
        ))}
        {facts.length > 0 && (
          <dl className="stats-facts">
            {facts.map(([label, value]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </section>
  );
}

interface StatsCardProps {
  readonly card: StatsCard;
  readonly points: readonly StatsPoint[];
  readonly latest: WatchStatsResponse;
}

function StatsCardView({ card, points, latest }: StatsCardProps): ReactNode {
  const [pointed, setPointed] = useState<StatsPoint>();
  const { label, figure, format, note, alarming } = card;
  const value = (pointed ?? points.at(-1))?.[figure];
  const agoSeconds = pointed && Math.round(((points.at(-1)?.timeMs ?? 0) - pointed.timeMs) / 1_000);
  return (
    <dl className="stats-card" data-alarm={alarming === true && (value ?? 0) > 0}>
      <dt>{label}</dt>
      <dd className="stats-value">{value === undefined ? "–" : format(value)}</dd>
      <dd className="stats-note">
        {agoSeconds === undefined ? note?.(latest) || "\u00a0" : agoText(agoSeconds)}
      </dd>
      <dd>
        <StatChart points={points} figure={figure} onPoint={setPointed} />
      </dd>
    </dl>
  );
}

function agoText(seconds: number): string {
  return seconds === 0 ? "now" : `${seconds} s ago`;
}
