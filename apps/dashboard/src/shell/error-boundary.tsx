/** What is shown in place of a part, or of the page, that has failed to draw itself. */
import { Component, type ReactNode } from "react";
import "./error-boundary.css";

/** What `ErrorBoundary` needs. */
export interface ErrorBoundaryProps {
  /** What is inside, in the middle of a sentence: "the page", "the details". */
  readonly part: string;
  /** When this changes, what is inside is tried again. */
  readonly resetKey?: string;
  readonly children: ReactNode;
}

interface BoundaryState {
  readonly error?: Error | undefined;
  readonly resetKey?: string | undefined;
}

/** Catches what its children throw while they are drawn, so that the rest of the page goes on. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, BoundaryState> {
  override state: BoundaryState = { resetKey: this.props.resetKey };

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  static getDerivedStateFromProps(props: ErrorBoundaryProps, state: BoundaryState): BoundaryState | null {
    return props.resetKey === state.resetKey ? null : { resetKey: props.resetKey };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <section className="broken-part" role="alert">
        <h2>A fault in {this.props.part}</h2>
        <p>It is a fault of this page, not of the log: nothing that is stored is touched.</p>
        <pre className="mono">{error.stack ?? error.message}</pre>
        <p className="broken-actions">
          <button
            type="button"
            className="button button-primary"
            onClick={() => this.setState({ error: undefined })}
          >
            Show it again
          </button>
          <button type="button" className="button" onClick={() => location.reload()}>
            Load the page anew
          </button>
          <a className="button" href={location.pathname}>
            Begin with an empty view
          </a>
        </p>
      </section>
    );
  }
}
