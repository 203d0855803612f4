//! A single write whose condition does not hold, or that meets a transaction that has its item.

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;

use super::StoreError;

/// What a conditional write has answered; nothing, if its condition did not hold, which is no fault.
pub(super) fn if_it_held<T, E, R>(
    operation: &'static str,
    sent: Result<T, SdkError<E, R>>,
) -> Result<Option<T>, StoreError>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    let refused = |error: &E| error.code() == Some("ConditionalCheckFailedException");
    match sent {
        Err(error) if error.as_service_error().is_some_and(refused) => Ok(None),
        sent => sent.map(Some).map_err(StoreError::call(operation)),
    }
}

/// `TransactionConflictException`: DynamoDB refuses a single write while a transaction has its item, and the SDK by
/// itself does not send it again ("Amazon DynamoDB Transactions: How it works").
#[derive(Debug)]
pub(super) struct RetryTransactionConflicts;

impl ClassifyRetry for RetryTransactionConflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failed = context.output_or_error().and_then(Result::err).and_then(OrchestratorError::as_operation_error);
        let conflict = failed.is_some_and(|error| {
            error.downcast_ref().is_some_and(UpdateItemError::is_transaction_conflict_exception)
                || error.downcast_ref().is_some_and(PutItemError::is_transaction_conflict_exception)
                || error.downcast_ref().is_some_and(DeleteItemError::is_transaction_conflict_exception)
        });
        if conflict { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "transaction conflicts"
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, TransactionConflictException};
    use aws_smithy_runtime_api::client::interceptors::context::{Error, Input};

    use super::*;

    fn action(error: Error) -> RetryAction {
        let mut context = InterceptorContext::new(Input::erase(()));
        context.set_output_or_error(Err(OrchestratorError::operation(error)));
        RetryTransactionConflicts.classify_retry(&context)
    }

    #[test]
    fn a_single_write_that_meets_a_transaction_is_sent_again_and_one_whose_condition_failed_is_not() {
        let conflict = || TransactionConflictException::builder().message("ongoing").build();
        for error in [
            Error::erase(UpdateItemError::TransactionConflictException(conflict())),
            Error::erase(PutItemError::TransactionConflictException(conflict())),
            Error::erase(DeleteItemError::TransactionConflictException(conflict())),
        ] {
            assert_eq!(action(error), RetryAction::transient_error());
        }
        let failed = ConditionalCheckFailedException::builder().build();
        let failed = Error::erase(UpdateItemError::ConditionalCheckFailedException(failed));
        assert_eq!(action(failed), RetryAction::NoActionIndicated);
    }
}
