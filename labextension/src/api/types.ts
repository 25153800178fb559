/** Names for the generated types of the contract. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type ArtifactsView = Schemas['ArtifactsView'];
export type ArtifactView = Schemas['ArtifactView'];
export type AliasRequest = Schemas['AliasRequest'];
export type AliasView = Schemas['AliasView'];
export type AnnotateRequest = Schemas['AnnotateRequest'];
export type AttemptView = Schemas['AttemptView'];
export type CardView = Schemas['CardView'];
export type CauseView = Schemas['CauseView'];
export type CellDiff = Schemas['CellDiff'];
export type CellsView = Schemas['CellsView'];
export type ChangeEvent = Schemas['ChangeEvent'];
export type ColumnView = Schemas['ColumnView'];
export type CompareFeaturesRequest = Schemas['CompareFeaturesRequest'];
export type CompareRow = Schemas['CompareRow'];
export type CompareView = Schemas['CompareView'];
export type ComputationView = Schemas['ComputationView'];
export type ComputeRequest = Schemas['ComputeRequest'];
export type CurvesView = Schemas['CurvesView'];
export type DiffLine = Schemas['DiffLine'];
export type ComparisonView = Schemas['ComparisonView'];
export type DifferenceView = Schemas['DifferenceView'];
export type DriftRequest = Schemas['DriftRequest'];
export type EndpointDetail = Schemas['EndpointDetail'];
export type EndpointLog = Schemas['EndpointLog'];
export type EndpointStatus = Schemas['EndpointStatus'];
export type EndpointView = Schemas['EndpointView'];
export type EventView = Schemas['EventView'];
export type ExecutorNode = Schemas['ExecutorNode'];
export type ExecutorView = Schemas['ExecutorView'];
export type FeatureDetail = Schemas['FeatureDetail'];
export type FeatureExportRequest = Schemas['FeatureExportRequest'];
export type FeatureExportView = Schemas['FeatureExportView'];
export type FeatureFinding = Schemas['FeatureFinding'];
export type FeatureModel = Schemas['FeatureModel'];
export type FeatureProblem = Schemas['FeatureProblem'];
export type FeaturesView = Schemas['FeaturesView'];
export type FeatureView = Schemas['FeatureView'];
export type FieldsView = Schemas['FieldsView'];
export type FileView = Schemas['FileView'];
export type Finding = Schemas['Finding'];
export type JoinRequest = Schemas['JoinRequest'];
export type LineageView = Schemas['LineageView'];
export type MetricChange = Schemas['MetricChange'];
export type MetricSeries = Schemas['MetricSeries'];
export type ModelVersionView = Schemas['ModelVersionView'];
export type NodeView = Schemas['NodeView'];
export type MonitoringRequest = Schemas['MonitoringRequest'];
export type MonitoringView = Schemas['MonitoringView'];
export type NotebookFile = Schemas['NotebookFile'];
export type OutputDiff = Schemas['OutputDiff'];
export type OutputSide = Schemas['OutputSide'];
export type ParametersView = Schemas['ParametersView'];
export type ParameterView = Schemas['ParameterView'];
export type PartView = Schemas['PartView'];
export type PipelineRequest = Schemas['PipelineRequest'];
export type PipelineRunDetail = Schemas['PipelineRunDetail'];
export type PipelineRunView = Schemas['PipelineRunView'];
export type PipelineView = Schemas['PipelineView'];
export type PredictRequest = Schemas['PredictRequest'];
export type PreviewView = Schemas['PreviewView'];
export type ProjectView = Schemas['ProjectView'];
export type QualityView = Schemas['QualityView'];
export type RegisterRequest = Schemas['RegisterRequest'];
export type ResumptionView = Schemas['ResumptionView'];
export type RunDetail = Schemas['RunDetail'];
export type RunPage = Schemas['RunPage'];
export type RunView = Schemas['RunView'];
export type ServeRequest = Schemas['ServeRequest'];
export type SharingCell = Schemas['SharingCell'];
export type SharingView = Schemas['SharingView'];
export type SourceView = Schemas['SourceView'];
export type SpaceRequest = Schemas['SpaceRequest'];
export type StageDetail = Schemas['StageDetail'];
export type StageState = Schemas['StageState'];
export type StageView = Schemas['StageView'];
export type StatisticsView = Schemas['StatisticsView'];
export type Status = Schemas['Status'];
export type StatusView = Schemas['StatusView'];
export type SubmitRequest = Schemas['SubmitRequest'];
export type SweepView = Schemas['SweepView'];
export type TailView = Schemas['TailView'];
export type Why = Schemas['Why'];

/** A parameter's or metric's value, decoded. */
export type Value =
  | boolean
  | number
  | string
  | null
  | readonly Value[]
  | { readonly [key: string]: Value };
