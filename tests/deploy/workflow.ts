// A workflow as GitHub's own parser reads it.
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow, type WorkflowTemplate } from '@actions/workflow-parser';

type Read = Readonly<{ faults: readonly string[]; template: WorkflowTemplate | null }>;

export async function readWorkflow(name: string, content: string): Promise<Read> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  const template = value === undefined ? null : await convertWorkflowTemplate(context, value);
  return { faults: context.errors.getErrors().map(({ message }) => message), template };
}
