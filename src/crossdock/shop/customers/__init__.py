"""Customers with billing and shipping addresses, and their sales reps."""

from crossdock.shop.customers.addresses import Address, missing_fields
from crossdock.shop.customers.assigning import NOBODY, Assigning, Assignment, assign_sales_rep
from crossdock.shop.customers.browsing import CUSTOMERS_SHOWN, browse_customers
from crossdock.shop.customers.keeping import (
    KeptCustomer,
    customer_of_email,
    list_kept_customers,
    read_kept_customer,
    remove_customer,
)
from crossdock.shop.customers.managing import (
    Customer,
    CustomerChange,
    add_customer,
    find_customer,
    list_customers,
    read_customer,
    set_customer,
)
from crossdock.shop.customers.sales_reps import (
    SalesRep,
    add_sales_rep,
    list_sales_reps,
    set_sales_rep_active,
)

__all__ = [
    "CUSTOMERS_SHOWN",
    "NOBODY",
    "Address",
    "Assigning",
    "Assignment",
    "Customer",
    "CustomerChange",
    "KeptCustomer",
    "SalesRep",
    "add_customer",
    "add_sales_rep",
    "assign_sales_rep",
    "browse_customers",
    "customer_of_email",
    "find_customer",
    "list_customers",
    "list_kept_customers",
    "list_sales_reps",
    "missing_fields",
    "read_customer",
    "read_kept_customer",
    "remove_customer",
    "set_customer",
    "set_sales_rep_active",
]
