"""Titles of the labels of the shipped tasks; an organisation's own label is shown with spaces for underscores."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

GENERAL: Mapping[str, LazyString] = {
    "negative": _l("Negative"),
    "neutral": _l("Neutral"),
    "positive": _l("Positive"),
    "anger": _l("Anger"),
    "disgust": _l("Disgust"),
    "fear": _l("Fear"),
    "joy": _l("Joy"),
    "sadness": _l("Sadness"),
    "surprise": _l("Surprise"),
    "out_of_scope": _l("Something else"),
}

TOPICS: Mapping[str, LazyString] = {
    "analyst_update": _l("Analyst update"),
    "company_product_news": _l("Company and product news"),
    "currencies": _l("Currencies"),
    "dividend": _l("Dividend"),
    "earnings": _l("Earnings"),
    "energy_oil": _l("Energy and oil"),
    "fed_central_banks": _l("Central banks"),
    "financials": _l("Financials"),
    "general_news_opinion": _l("General news and opinion"),
    "gold_metals_materials": _l("Gold, metals, materials"),
    "ipo": _l("Stock market launch"),
    "legal_regulation": _l("Law and regulation"),
    "m_a_investments": _l("Mergers and investments"),
    "macro": _l("Economy at large"),
    "markets": _l("Markets"),
    "personnel_change": _l("Change of personnel"),
    "politics": _l("Politics"),
    "stock_commentary": _l("Stock commentary"),
    "stock_movement": _l("Stock movement"),
    "treasuries_corporate_debt": _l("Treasuries and corporate debt"),
}

COMMERCE: Mapping[str, LazyString] = {
    "cancel_order": _l("Cancel an order"),
    "change_order": _l("Change an order"),
    "change_shipping_address": _l("Change the delivery address"),
    "check_cancellation_fee": _l("Cancellation fee"),
    "check_invoice": _l("Check an invoice"),
    "check_payment_methods": _l("Payment methods"),
    "check_refund_policy": _l("Refund policy"),
    "complaint": _l("Complaint"),
    "contact_customer_service": _l("Contact customer service"),
    "contact_human_agent": _l("Talk to a person"),
    "create_account": _l("Create an account"),
    "delete_account": _l("Delete an account"),
    "delivery_options": _l("Delivery options"),
    "delivery_period": _l("Delivery time"),
    "edit_account": _l("Change an account"),
    "get_invoice": _l("Get an invoice"),
    "get_refund": _l("Get a refund"),
    "newsletter_subscription": _l("Newsletter"),
    "payment_issue": _l("Payment trouble"),
    "place_order": _l("Place an order"),
    "recover_password": _l("Recover a password"),
    "registration_problems": _l("Trouble registering"),
    "review": _l("Leave a review"),
    "set_up_shipping_address": _l("Set up a delivery address"),
    "switch_account": _l("Switch account"),
    "track_order": _l("Track an order"),
    "track_refund": _l("Track a refund"),
}

BANKING: Mapping[str, LazyString] = {
    "activate_my_card": _l("Activate a card"),
    "age_limit": _l("Age limit"),
    "apple_pay_or_google_pay": _l("Apple Pay or Google Pay"),
    "atm_support": _l("Cash machines supported"),
    "automatic_top_up": _l("Automatic top-up"),
    "balance_not_updated_after_bank_transfer": _l("Balance not updated after a bank transfer"),
    "balance_not_updated_after_cheque_or_cash_deposit": _l("Balance not updated after a cheque or cash deposit"),
    "beneficiary_not_allowed": _l("Payee not allowed"),
    "cancel_transfer": _l("Cancel a transfer"),
    "card_about_to_expire": _l("Card about to expire"),
    "card_acceptance": _l("Where the card is accepted"),
    "card_arrival": _l("Card has not arrived"),
    "card_delivery_estimate": _l("Card delivery time"),
    "card_linking": _l("Link a card"),
    "card_not_working": _l("Card not working"),
    "card_payment_fee_charged": _l("Fee on a card payment"),
    "card_payment_not_recognised": _l("Card payment not recognised"),
    "card_payment_wrong_exchange_rate": _l("Wrong exchange rate on a card payment"),
    "card_swallowed": _l("Card swallowed by a machine"),
    "cash_withdrawal_charge": _l("Fee on a cash withdrawal"),
    "cash_withdrawal_not_recognised": _l("Cash withdrawal not recognised"),
    "change_pin": _l("Change the PIN"),
    "compromised_card": _l("Compromised card"),
    "contactless_not_working": _l("Contactless not working"),
    "country_support": _l("Countries supported"),
    "declined_card_payment": _l("Card payment declined"),
    "declined_cash_withdrawal": _l("Cash withdrawal declined"),
    "declined_transfer": _l("Transfer declined"),
    "direct_debit_payment_not_recognised": _l("Direct debit not recognised"),
    "disposable_card_limits": _l("Limits of disposable cards"),
    "edit_personal_details": _l("Change personal details"),
    "exchange_charge": _l("Currency exchange fee"),
    "exchange_rate": _l("Exchange rate"),
    "exchange_via_app": _l("Exchange currency in the app"),
    "extra_charge_on_statement": _l("Extra charge on a statement"),
    "failed_transfer": _l("Transfer failed"),
    "fiat_currency_support": _l("Currencies supported"),
    "get_disposable_virtual_card": _l("Get a disposable card"),
    "get_physical_card": _l("Get a physical card"),
    "getting_spare_card": _l("Get a spare card"),
    "getting_virtual_card": _l("Get a virtual card"),
    "lost_or_stolen_card": _l("Lost or stolen card"),
    "lost_or_stolen_phone": _l("Lost or stolen phone"),
    "order_physical_card": _l("Order a physical card"),
    "passcode_forgotten": _l("Passcode forgotten"),
    "pending_card_payment": _l("Card payment pending"),
    "pending_cash_withdrawal": _l("Cash withdrawal pending"),
    "pending_top_up": _l("Top-up pending"),
    "pending_transfer": _l("Transfer pending"),
    "pin_blocked": _l("PIN blocked"),
    "receiving_money": _l("Receiving money"),
    "refund_not_showing_up": _l("Refund not showing up"),
    "request_refund": _l("Ask for a refund"),
    "reverted_card_payment": _l("Card payment reverted"),
    "supported_cards_and_currencies": _l("Cards and currencies supported"),
    "terminate_account": _l("Close an account"),
    "top_up_by_bank_transfer_charge": _l("Fee on a top-up by bank transfer"),
    "top_up_by_card_charge": _l("Fee on a top-up by card"),
    "top_up_by_cash_or_cheque": _l("Top up by cash or cheque"),
    "top_up_failed": _l("Top-up failed"),
    "top_up_limits": _l("Top-up limits"),
    "top_up_reverted": _l("Top-up reverted"),
    "topping_up_by_card": _l("Top up by card"),
    "transaction_charged_twice": _l("Charged twice"),
    "transfer_fee_charged": _l("Fee on a transfer"),
    "transfer_into_account": _l("Transfer into the account"),
    "transfer_not_received_by_recipient": _l("Transfer not received"),
    "transfer_timing": _l("Transfer time"),
    "unable_to_verify_identity": _l("Cannot verify identity"),
    "verify_my_identity": _l("Verify identity"),
    "verify_source_of_funds": _l("Verify source of funds"),
    "verify_top_up": _l("Verify a top-up"),
    "virtual_card_not_working": _l("Virtual card not working"),
    "visa_or_mastercard": _l("Visa or Mastercard"),
    "why_verify_identity": _l("Why identity is verified"),
    "wrong_amount_of_cash_received": _l("Wrong amount of cash received"),
    "wrong_exchange_rate_for_cash_withdrawal": _l("Wrong exchange rate on a cash withdrawal"),
}

TASKS: Mapping[str, LazyString] = {
    "banking_intent": _l("Intent (banking)"),
    "commerce_intent": _l("Intent (shop)"),
    "sentiment": _l("Sentiment"),
    "emotion": _l("Emotion"),
    "market_sentiment": _l("Sentiment towards a company"),
    "market_topic": _l("Market topic"),
}

_TITLES = {**GENERAL, **TOPICS, **COMMERCE, **BANKING}


def _opened(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def label_title(label: str | None) -> str:
    """Return the title of a label in the reader's language."""
    if not label:
        return ""
    # Compared with None: the truth value of a lazy text would translate it a second time.
    found = _TITLES.get(label)
    return _opened(label) if found is None else str(found)


def task_title(task: str) -> str:
    """Return the title of a task in the reader's language."""
    return str(TASKS.get(task) or _opened(task))
