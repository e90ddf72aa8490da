/** The one place that knows of the webview UI toolkit: the controls that this page uses, and their types. */
import {
  provideVSCodeDesignSystem,
  vsCodeBadge,
  vsCodeButton,
  vsCodeProgressRing,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import type { Button, TextField } from '@vscode/webview-ui-toolkit';

export type { Button, TextField };

declare global {
  interface HTMLElementTagNameMap {
    'vscode-badge': HTMLElement;
    'vscode-button': Button;
    'vscode-progress-ring': HTMLElement;
    'vscode-text-field': TextField;
  }
}

provideVSCodeDesignSystem().register(vsCodeBadge(), vsCodeButton(), vsCodeProgressRing(), vsCodeTextField());
