"""The settings of an operator: one section per part, read from a TOML file and the environment."""

from crossdock.settings.deliveries import DeliveriesSection
from crossdock.settings.loading import (
    CONFIG_VARIABLE,
    ENVIRONMENT_PREFIX,
    FILE_NAME,
    Told,
    find_file,
    load_settings,
    tell_settings,
    unknown_variables,
)
from crossdock.settings.mail import Smtp
from crossdock.settings.model import Setting, Settings, describe
from crossdock.settings.resellers import ResellersSection
from crossdock.settings.section import (
    PAYMENT_PROVIDERS,
    SANDBOX,
    STRIPE,
    Count,
    Natural,
    Port,
    Seconds,
    Section,
    SettingsError,
)
from crossdock.settings.sections import PeopleSection, default_workers
from crossdock.settings.tickets import TicketsSection

__all__ = [
    "CONFIG_VARIABLE",
    "ENVIRONMENT_PREFIX",
    "FILE_NAME",
    "PAYMENT_PROVIDERS",
    "SANDBOX",
    "STRIPE",
    "Count",
    "DeliveriesSection",
    "Natural",
    "PeopleSection",
    "Port",
    "ResellersSection",
    "Seconds",
    "Section",
    "Setting",
    "Settings",
    "SettingsError",
    "Smtp",
    "TicketsSection",
    "Told",
    "default_workers",
    "describe",
    "find_file",
    "load_settings",
    "tell_settings",
    "unknown_variables",
]
