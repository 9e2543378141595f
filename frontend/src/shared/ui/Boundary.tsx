import { Component, type ReactNode } from 'react';

import { ProblemNotice } from './ProblemNotice';

interface BoundaryProps {
  children: ReactNode;
}

/** One part that breaks must not take the page with it. React itself puts the error on the console. */
export class Boundary extends Component<BoundaryProps, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <ProblemNotice error={this.state.error} onRetry={() => this.setState({ error: null })} />;
  }
}
